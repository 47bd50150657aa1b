-- Grain: one row per store and product with stock that four weeks have not sold any of

with

first_days as (
    select
        store_durable_key,
        product_durable_key,
        min(business_date) as first_date
    from {{ ref('fct_inventory_daily') }}
    group by store_durable_key, product_durable_key
),

-- What came in less than four weeks ago has not had its chance yet.
dead as (
    select
        cover.inventory_daily_key,
        cover.sender,
        cover.business_date,
        cover.store_durable_key,
        cover.store_name,
        cover.product_durable_key,
        cover.product_code,
        cover.product_name,
        cover.category,
        cover.on_hand_quantity,
        last_sold.last_sold_date,
        {{ days_between(
            'coalesce(last_sold.last_sold_date, first_days.first_date)', 'cover.business_date'
        ) }} as idle_days,
        last_sold.last_sold_date is null as is_never_sold,
        cover.on_hand_cost_amount_reporting
    from {{ ref('stock_cover') }} as cover
    inner join first_days
        on
            cover.store_durable_key = first_days.store_durable_key
            and cover.product_durable_key = first_days.product_durable_key
    left join {{ ref('int_inventory__last_sold') }} as last_sold
        on
            cover.store_durable_key = last_sold.store_durable_key
            and cover.product_durable_key = last_sold.product_durable_key
    where
        cover.on_hand_quantity > 0
        and cover.sold_28_days_quantity = 0
        and {{ days_between('first_days.first_date', 'cover.business_date') }} >= 28
)

select * from dead
