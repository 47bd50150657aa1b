with

movements as (
    select
        sender,
        store_durable_key,
        other_store_durable_key,
        product_durable_key,
        business_date,
        movement_type,
        quantity,
        unit_cost,
        currency_code,
        batch_id
    from {{ ref('fct_inventory_movement') }}
),

-- What left one store for another is on its way until the other one books it in.
happenings as (
    select
        sender,
        store_durable_key,
        product_durable_key,
        business_date,
        cast(null as decimal(18, 3)) as counted_quantity,
        false as is_sold_out,
        cast(null as decimal(18, 3)) as stated_in_transit_quantity,
        quantity as moved_quantity,
        case when movement_type = 'receipt' then quantity else 0 end as received_quantity,
        case when movement_type = 'transfer_in' then -quantity else 0 end as transit_quantity,
        movement_type = 'opening' as is_opening,
        unit_cost,
        currency_code,
        batch_id
    from movements

    union all

    select
        sender,
        other_store_durable_key as store_durable_key,
        product_durable_key,
        business_date,
        cast(null as decimal(18, 3)) as counted_quantity,
        false as is_sold_out,
        cast(null as decimal(18, 3)) as stated_in_transit_quantity,
        0 as moved_quantity,
        0 as received_quantity,
        -quantity as transit_quantity,
        false as is_opening,
        cast(null as decimal(18, 4)) as unit_cost,
        cast(null as varchar) as currency_code,
        batch_id
    from movements
    where movement_type = 'transfer_out' and other_store_durable_key >= 0

    union all

    select
        sender,
        store_durable_key,
        product_durable_key,
        business_date,
        on_hand_quantity as counted_quantity,
        is_sold_out,
        in_transit_quantity as stated_in_transit_quantity,
        0 as moved_quantity,
        0 as received_quantity,
        0 as transit_quantity,
        false as is_opening,
        unit_cost,
        currency_code,
        batch_id
    from {{ ref('int_inventory__counts_placed') }}
),

grouped as (
    select
        happenings.sender,
        happenings.store_durable_key,
        happenings.product_durable_key,
        happenings.business_date,
        max(case when senders.is_booking then 1 else 0 end) = 1 as is_booking,
        max(happenings.counted_quantity) as counted_quantity,
        max(case when happenings.is_sold_out then 1 else 0 end) = 1 as is_sold_out,
        max(happenings.stated_in_transit_quantity) as stated_in_transit_quantity,
        sum(happenings.moved_quantity) as moved_quantity,
        sum(happenings.received_quantity) as received_quantity,
        sum(happenings.transit_quantity) as transit_quantity,
        max(case when happenings.is_opening then 1 else 0 end) = 1 as is_opening,
        max(happenings.unit_cost) as unit_cost,
        max(happenings.currency_code) as currency_code,
        max(happenings.batch_id) as batch_id
    from happenings
    inner join {{ ref('int_inventory__senders_described') }} as senders
        on happenings.sender = senders.sender
    where happenings.store_durable_key >= 0 and happenings.product_durable_key >= 0
    group by
        happenings.sender, happenings.store_durable_key, happenings.product_durable_key,
        happenings.business_date
)

select * from grouped
