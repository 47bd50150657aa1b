-- Grain: one row per business date of the sale, store and currency
with

returned as (
    select
        return_lines.sales_line_key,
        return_lines.business_date as return_date,
        return_lines.store_durable_key as return_store_durable_key,
        return_lines.original_line_key,
        return_lines.currency_code,
        -return_lines.net_amount as returns_amount,
        -return_lines.net_amount_reporting as returns_amount_reporting
    from {{ ref('fct_sales_line') }} as return_lines
    where return_lines.line_type = 'return'
),

-- A return without a known sale stays on its own day and in its own store.
movements as (
    select
        coalesce(sold_lines.business_date, returned.return_date) as business_date,
        coalesce(sold_lines.store_durable_key, returned.return_store_durable_key)
            as store_durable_key,
        returned.currency_code,
        cast(0 as decimal(18, 4)) as sales_amount,
        cast(0 as decimal(18, 4)) as sales_amount_reporting,
        returned.returns_amount,
        returned.returns_amount_reporting
    from returned
    left join {{ ref('fct_sales_line') }} as sold_lines
        on returned.original_line_key = sold_lines.sales_line_key

    union all

    select
        business_date,
        store_durable_key,
        currency_code,
        gross_sales_amount - discounts_amount as sales_amount,
        gross_sales_amount_reporting - discounts_amount_reporting as sales_amount_reporting,
        cast(0 as decimal(18, 4)) as returns_amount,
        cast(0 as decimal(18, 4)) as returns_amount_reporting
    from {{ ref('sales_daily') }}
),

summed as (
    select
        business_date,
        store_durable_key,
        currency_code,
        cast(sum(sales_amount) as decimal(18, 4)) as sales_amount,
        cast(sum(sales_amount_reporting) as decimal(18, 4)) as sales_amount_reporting,
        cast(sum(returns_amount) as decimal(18, 4)) as returns_amount,
        cast(sum(returns_amount_reporting) as decimal(18, 4)) as returns_amount_reporting,
        cast(sum(sales_amount - returns_amount) as decimal(18, 4))
            as net_sales_by_sale_date_amount,
        cast(sum(sales_amount_reporting - returns_amount_reporting) as decimal(18, 4))
            as net_sales_by_sale_date_amount_reporting
    from movements
    group by business_date, store_durable_key, currency_code
)

select * from summed
