-- Grain: one row per store and product on the newest day of its stock

with

newest as (
    select
        sender,
        max(business_date) as business_date
    from {{ ref('fct_inventory_daily') }}
    group by sender
),

covered as (
    select
        daily.inventory_daily_key,
        daily.sender,
        daily.business_date,
        daily.store_durable_key,
        stores.name as store_name,
        daily.product_durable_key,
        products.product_code,
        products.name as product_name,
        products.category,
        daily.on_hand_quantity,
        daily.on_hand_basis,
        daily.in_transit_quantity,
        daily.sold_28_days_quantity,
        daily.cover_days,
        case
            when daily.is_stock_out then 'out'
            when daily.on_hand_quantity is null then 'not known'
            when daily.cover_days is null then 'no sales'
            when daily.cover_days < 3 then '0-3'
            when daily.cover_days < 7 then '3-7'
            when daily.cover_days < 28 then '7-28'
            else '28+'
        end as cover_band,
        daily.is_stock_out,
        daily.on_hand_cost_amount_reporting
    from {{ ref('fct_inventory_daily') }} as daily
    inner join newest
        on daily.sender = newest.sender and daily.business_date = newest.business_date
    inner join {{ ref('dim_store') }} as stores
        on daily.store_durable_key = stores.store_durable_key and stores.is_current
    inner join {{ ref('dim_product') }} as products
        on daily.product_durable_key = products.product_durable_key and products.is_current
)

select * from covered
