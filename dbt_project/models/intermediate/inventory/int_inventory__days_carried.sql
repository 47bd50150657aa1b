with

-- A count sets what is there; from then on movements add up to it, until the next count. The
-- difference of a count to all movements so far is carried, so one sum of movements serves all.
summed as (
    select
        sender,
        store_durable_key,
        product_durable_key,
        business_date,
        is_booking,
        counted_quantity,
        is_sold_out,
        stated_in_transit_quantity,
        moved_quantity,
        received_quantity,
        unit_cost,
        currency_code,
        batch_id,
        sum(moved_quantity) over to_date as moved_to_date_quantity,
        sum(transit_quantity) over to_date as transit_to_date_quantity,
        max(case when is_opening then 1 else 0 end) over to_date = 1 as is_opened,
        min(business_date) over to_date as first_date,
        lead(business_date) over (
            partition by store_durable_key, product_durable_key order by business_date
        ) as next_date
    from {{ ref('int_inventory__days_grouped') }}
    window
        to_date as (
            partition by store_durable_key, product_durable_key
            order by business_date
            rows between unbounded preceding and current row
        )
),

-- Who books no movements refills an empty shelf unseen: it is empty on its own day only.
anchored as (
    select
        sender,
        store_durable_key,
        product_durable_key,
        business_date,
        next_date,
        first_date,
        is_booking,
        counted_quantity,
        is_sold_out,
        stated_in_transit_quantity,
        moved_quantity,
        received_quantity,
        unit_cost,
        currency_code,
        batch_id,
        moved_to_date_quantity,
        transit_to_date_quantity,
        is_opened,
        case
            when is_booking or not is_sold_out then counted_quantity - moved_to_date_quantity
        end as anchor_quantity
    from summed
),

carried as (
    select
        sender,
        store_durable_key,
        product_durable_key,
        business_date,
        next_date,
        first_date,
        is_booking,
        counted_quantity,
        is_sold_out,
        moved_quantity,
        received_quantity,
        coalesce(
            {{ last_stated('anchor_quantity', 'to_date') }} + moved_to_date_quantity,
            case when is_booking then moved_to_date_quantity end
        ) as on_hand_quantity,
        case
            when counted_quantity is not null and is_booking
                then
                    coalesce(
                        {{ last_stated('anchor_quantity', 'before') }},
                        case when is_opened then 0 end
                    ) + moved_to_date_quantity
        end as expected_quantity,
        coalesce(
            {{ last_stated('stated_in_transit_quantity', 'to_date') }},
            case when is_booking then greatest(transit_to_date_quantity, 0) end
        ) as in_transit_quantity,
        {{ last_stated('unit_cost', 'to_date') }} as unit_cost,
        {{ last_stated('currency_code', 'to_date') }} as currency_code,
        batch_id
    from anchored
    window
        to_date as (
            partition by store_durable_key, product_durable_key
            order by business_date
            rows between unbounded preceding and current row
        ),
        before as (
            partition by store_durable_key, product_durable_key
            order by business_date
            rows between unbounded preceding and 1 preceding
        )
)

select * from carried
