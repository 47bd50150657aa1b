with

customers as (
    select
        summarised.customer_durable_key,
        coalesce(customers.banner, summarised.favourite_banner, 'Unknown') as banner,
        summarised.last_purchase_date,
        summarised.receipt_count,
        summarised.net_amount_reporting
    from {{ ref('int_sales__customers_summarised') }} as summarised
    inner join {{ ref('dim_customer') }} as customers
        on summarised.customer_durable_key = customers.customer_durable_key
    where customers.is_current and summarised.receipt_count > 0
),

-- How many of the banner's customers do no better: ties share a place, so that the order in which
-- persons came to be known decides nothing.
placed as (
    select
        customer_durable_key,
        banner,
        last_purchase_date,
        count(*) over (partition by banner) as customer_count,
        {{ newest_day('last_purchase_date', '(partition by banner)') }} as as_of_date,
        count(*) over (partition by banner order by last_purchase_date) as recency_place,
        count(*) over (partition by banner order by receipt_count) as frequency_place,
        count(*) over (partition by banner order by net_amount_reporting) as value_place
    from customers
),

-- Fifths of the banner's customers, 5 the best, in whole numbers only.
scored as (
    select
        customer_durable_key,
        banner,
        as_of_date,
        greatest(as_of_date - last_purchase_date, 0) as recency_days,
        {%- for measure in ['recency', 'frequency', 'value'] %}
        cast(
            floor((5 * {{ measure }}_place + customer_count - 1) / customer_count) as integer
        ) as {{ measure }}_score,
        {%- endfor %}
        customer_count
    from placed
),

tiered as (
    select
        customer_durable_key,
        banner,
        as_of_date,
        cast(recency_days as integer) as recency_days,
        recency_score,
        frequency_score,
        value_score,
        {{ value_tier() }} as value_tier
    from scored
)

select * from tiered
