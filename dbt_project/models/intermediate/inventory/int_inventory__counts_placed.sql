with

-- A count says what was there at close, so it is of the product and the store as that day ended.
placed as (
    select
        counts.sender,
        coalesce(stores.store_durable_key, -1) as store_durable_key,
        coalesce(products.product_durable_key, -1) as product_durable_key,
        counts.counted_on as business_date,
        counts.on_hand_quantity,
        coalesce(counts.is_sold_out, false) as is_sold_out,
        counts.in_transit_quantity,
        counts.unit_cost,
        counts.currency_code,
        counts.batch_id
    from {{ ref('stg_stock_count__counts') }} as counts
    left join {{ ref('dim_store') }} as stores
        on
            counts.sender = stores.sender
            and counts.store_code = stores.store_code
            and stores.is_current
    left join {{ ref('dim_product') }} as products
        on
            counts.sender = products.sender
            and counts.product_code = products.product_code
            and products.is_current
)

select * from placed
