with

purchases as (
    select
        transactions.customer_durable_key,
        transactions.transaction_type,
        transactions.business_date,
        {{ month_end('transactions.business_date') }} as month_end_date,
        transactions.net_amount_reporting,
        coalesce(customers.banner, 'Unknown') as banner
    from {{ ref('fct_transaction') }} as transactions
    inner join {{ ref('dim_customer') }} as customers
        on
            transactions.customer_durable_key = customers.customer_durable_key
            and customers.is_current
    where transactions.is_sale and transactions.customer_durable_key >= 0
),

months as (
    select distinct
        banner,
        month_end_date
    from purchases
),

bought as (
    select
        customer_durable_key,
        banner,
        month_end_date,
        max(case when transaction_type = 'sale' then business_date end) as last_purchase_date,
        count(case when transaction_type = 'sale' then 1 end) as receipt_count,
        coalesce(sum(net_amount_reporting), 0) as net_amount_reporting
    from purchases
    group by customer_durable_key, banner, month_end_date
),

customers as (
    select
        customer_durable_key,
        banner,
        min(month_end_date) as first_month_end_date
    from bought
    where receipt_count > 0
    group by customer_durable_key, banner
),

-- Every month of the banner from the customer's first purchase on, bought in or not.
spread as (
    select
        customers.customer_durable_key,
        customers.banner,
        months.month_end_date,
        coalesce(bought.receipt_count, 0) as month_receipt_count,
        coalesce(bought.net_amount_reporting, 0) as month_net_amount_reporting,
        max(bought.last_purchase_date) over known_then as last_purchase_date,
        sum(coalesce(bought.receipt_count, 0)) over known_then as receipt_count,
        sum(coalesce(bought.net_amount_reporting, 0)) over known_then as net_amount_reporting
    from customers
    inner join months
        on
            customers.banner = months.banner
            and customers.first_month_end_date <= months.month_end_date
    left join bought
        on
            customers.customer_durable_key = bought.customer_durable_key
            and months.month_end_date = bought.month_end_date
    window known_then as (
        partition by customers.customer_durable_key
        order by months.month_end_date
        rows between unbounded preceding and current row
    )
),

-- As in int_sales__customers_scored: ties share a place, fifths in whole numbers.
placed as (
    select
        customer_durable_key,
        banner,
        month_end_date,
        month_receipt_count,
        month_net_amount_reporting,
        last_purchase_date,
        receipt_count,
        net_amount_reporting,
        count(*) over (partition by banner, month_end_date) as customer_count,
        count(*) over (partition by banner, month_end_date order by last_purchase_date)
            as recency_place,
        count(*) over (partition by banner, month_end_date order by receipt_count)
            as frequency_place,
        count(*) over (partition by banner, month_end_date order by net_amount_reporting)
            as value_place
    from spread
),

scored as (
    select
        customer_durable_key,
        banner,
        month_end_date,
        month_receipt_count,
        month_net_amount_reporting,
        last_purchase_date,
        month_end_date - last_purchase_date as recency_days,
        receipt_count,
        {%- for measure in ['recency', 'frequency', 'value'] %}
        cast(
            floor((5 * {{ measure }}_place + customer_count - 1) / customer_count) as integer
        ) as {{ measure }}_score,
        {%- endfor %}
        net_amount_reporting
    from placed
)

select * from scored
