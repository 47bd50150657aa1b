with

booked as (
    select
        inventory_movement_key,
        sender,
        movement_id,
        movement_type,
        moved_at,
        business_date,
        store_key,
        store_durable_key,
        other_store_durable_key,
        product_key,
        product_durable_key,
        supplier_code,
        document_id,
        receipt_id,
        reason_code,
        quantity,
        unit_cost,
        cost_amount,
        currency_code,
        is_booked,
        batch_id
    from {{ ref('int_inventory__movements_dated') }}
),

-- Where a sender books deliveries but no sales, a day's sales of a product are one movement.
sold as (
    select
        sold_daily.sender,
        directions.movement_type,
        sold_daily.business_date,
        sold_daily.store_key,
        sold_daily.store_durable_key,
        sold_daily.product_key,
        sold_daily.product_durable_key,
        case
            when directions.movement_type = 'sale' then -sold_daily.sold_quantity
            else sold_daily.returned_quantity
        end as quantity,
        sold_daily.batch_id
    from {{ ref('int_inventory__sold_daily') }} as sold_daily
    inner join {{ ref('int_inventory__senders_described') }} as senders
        on sold_daily.sender = senders.sender and senders.is_booked_by_sales
    cross join (
        select directions.movement_type
        from (values ('sale'), ('customer_return')) as directions (movement_type)
    ) as directions
),

unioned as (
    select
        inventory_movement_key,
        sender,
        movement_id,
        movement_type,
        moved_at,
        business_date,
        store_key,
        store_durable_key,
        other_store_durable_key,
        product_key,
        product_durable_key,
        supplier_code,
        document_id,
        receipt_id,
        reason_code,
        quantity,
        unit_cost,
        cost_amount,
        currency_code,
        is_booked,
        batch_id
    from booked

    union all

    select
        {{ surrogate_key([
            "'inventory_movement_of_day'",
            'store_durable_key',
            'product_durable_key',
            'business_date',
            'movement_type',
        ]) }} as inventory_movement_key,
        sender,
        cast(null as varchar) as movement_id,
        movement_type,
        cast(null as {{ type_timestamp_with_zone() }}) as moved_at,
        business_date,
        store_key,
        store_durable_key,
        -2 as other_store_durable_key,
        product_key,
        product_durable_key,
        cast(null as varchar) as supplier_code,
        cast(null as varchar) as document_id,
        cast(null as varchar) as receipt_id,
        cast(null as varchar) as reason_code,
        quantity,
        cast(null as decimal(18, 4)) as unit_cost,
        cast(null as decimal(18, 4)) as cost_amount,
        cast(null as varchar) as currency_code,
        false as is_booked,
        batch_id
    from sold
    where quantity != 0
)

select * from unioned
