with

booked as (
    select
        movements.record_key as inventory_movement_key,
        movements.sender,
        movements.movement_id,
        movements.movement_type,
        movements.moved_at,
        {{ utc_day_number('movements.moved_at') }} as utc_day_number,
        coalesce(stores.store_key, -1) as store_key,
        coalesce(stores.store_durable_key, -1) as store_durable_key,
        coalesce(stores.time_zone, 'UTC') as time_zone,
        coalesce(stores.cut_off_hour, 0) as cut_off_hour,
        case
            when movements.other_store_code is null then -2
            else coalesce(others.store_durable_key, -1)
        end as other_store_durable_key,
        coalesce(products.product_key, -1) as product_key,
        coalesce(products.product_durable_key, -1) as product_durable_key,
        movements.supplier_code,
        movements.document_id,
        movements.receipt_id,
        movements.reason_code,
        movements.quantity,
        movements.unit_cost,
        movements.cost_amount,
        movements.currency_code,
        movements.batch_id
    from {{ ref('stg_stock_movement__movements') }} as movements
    left join {{ ref('dim_store') }} as stores
        on
            movements.sender = stores.sender
            and movements.store_code = stores.store_code
            and movements.moved_at >= stores.valid_from_at
            and movements.moved_at < stores.valid_to_at
    left join {{ ref('dim_store') }} as others
        on
            movements.sender = others.sender
            and movements.other_store_code = others.store_code
            and others.is_current
    left join {{ ref('dim_product') }} as products
        on
            movements.sender = products.sender
            and movements.product_code = products.product_code
            and movements.moved_at >= products.valid_from_at
            and movements.moved_at < products.valid_to_at
),

dated as (
    select
        booked.inventory_movement_key,
        booked.sender,
        booked.movement_id,
        booked.movement_type,
        booked.moved_at,
        {{ business_date(wall_clock('booked', 'moved_at'), 'booked.cut_off_hour') }}
            as business_date,
        booked.store_key,
        booked.store_durable_key,
        booked.other_store_durable_key,
        booked.product_key,
        booked.product_durable_key,
        booked.supplier_code,
        booked.document_id,
        booked.receipt_id,
        booked.reason_code,
        booked.quantity,
        booked.unit_cost,
        booked.cost_amount,
        booked.currency_code,
        true as is_booked,
        booked.batch_id
    from booked
    left join {{ ref('int_sales__offsets_dated') }} as offsets
        on
            booked.time_zone = offsets.time_zone
            and booked.utc_day_number = offsets.utc_day_number
)

select * from dated
