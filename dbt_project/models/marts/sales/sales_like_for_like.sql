-- Grain: one row per month and store
with

store_days as (
    select
        business_date,
        store_durable_key,
        sum(net_sales_amount_reporting) as net_sales_amount_reporting,
        sum(receipts) as receipts
    from {{ ref('sales_daily') }}
    group by business_date, store_durable_key
),

-- A store compares with itself on the same weekday of the year before, where it traded on both.
compared as (
    select
        store_days.business_date,
        store_days.store_durable_key,
        store_days.net_sales_amount_reporting,
        store_days.receipts,
        year_before.net_sales_amount_reporting as comparison_amount_reporting,
        year_before.receipts as comparison_receipts,
        year_before.store_durable_key is not null as is_comparable
    from store_days
    inner join {{ ref('dim_date') }} as dates
        on store_days.business_date = dates.calendar_date
    left join store_days as year_before
        on
            store_days.store_durable_key = year_before.store_durable_key
            and dates.comparison_date = year_before.business_date
),

summed as (
    select
        cast(date_trunc('month', business_date) as date) as business_month,
        store_durable_key,
        cast(count(*) as integer) as trading_days,
        cast(count(*) filter (where is_comparable) as integer) as comparable_days,
        cast(sum(net_sales_amount_reporting) as decimal(18, 4)) as net_sales_amount_reporting,
        cast(
            sum(net_sales_amount_reporting) filter (where is_comparable) as decimal(18, 4)
        ) as comparable_net_sales_amount_reporting,
        cast(sum(comparison_amount_reporting) as decimal(18, 4))
            as comparison_net_sales_amount_reporting,
        cast(sum(receipts) filter (where is_comparable) as bigint) as comparable_receipts,
        cast(sum(comparison_receipts) as bigint) as comparison_receipts
    from compared
    group by date_trunc('month', business_date), store_durable_key
),

grown as (
    select
        business_month,
        store_durable_key,
        trading_days,
        comparable_days,
        net_sales_amount_reporting,
        comparable_net_sales_amount_reporting,
        comparison_net_sales_amount_reporting,
        comparable_receipts,
        comparison_receipts,
        case
            when comparison_net_sales_amount_reporting > 0
                then
                    cast(
                        comparable_net_sales_amount_reporting
                        / comparison_net_sales_amount_reporting - 1 as decimal(18, 4)
                    )
        end as like_for_like_growth
    from summed
)

select * from grown
