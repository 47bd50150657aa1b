with

happenings as (
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
        on_hand_quantity,
        expected_quantity,
        in_transit_quantity,
        unit_cost,
        currency_code,
        batch_id
    from {{ ref('int_inventory__days_carried') }}
),

-- Every day until something happens again, or the sender's newest one. The sums of four weeks ask
-- for 27 days before the first day that is written.
days as (
    select
        happenings.sender,
        happenings.store_durable_key,
        happenings.product_durable_key,
        calendar_days.calendar_date as business_date,
        happenings.first_date,
        happenings.is_booking,
        happenings.business_date = calendar_days.calendar_date as is_happening,
        happenings.counted_quantity,
        happenings.is_sold_out,
        happenings.moved_quantity,
        happenings.received_quantity,
        happenings.on_hand_quantity,
        happenings.expected_quantity,
        happenings.in_transit_quantity,
        happenings.unit_cost,
        happenings.currency_code,
        happenings.batch_id
    from happenings
    inner join {{ ref('int_inventory__newest_dated') }} as newest
        on happenings.sender = newest.sender
    cross join {{ ref('int_inventory__first_changed') }} as first_changed
    inner join {{ ref('stg_reference__calendar_days') }} as calendar_days
        on
            happenings.business_date <= calendar_days.calendar_date
            and coalesce(happenings.next_date, {{ days_after('newest.newest_date', 1) }})
            > calendar_days.calendar_date
    where
        calendar_days.calendar_date
        >= greatest(
            {{ days_after('first_changed.first_changed_date', -27) }}, cast('1900-01-01' as date)
        )
),

filled as (
    select
        days.sender,
        days.store_durable_key,
        days.product_durable_key,
        days.business_date,
        days.is_booking,
        case when days.is_happening then days.counted_quantity end as counted_quantity,
        days.is_happening and days.is_sold_out as is_sold_out,
        case when days.is_happening then days.moved_quantity else 0 end as moved_quantity,
        case when days.is_happening then days.received_quantity else 0 end as received_quantity,
        coalesce(sold_daily.sold_quantity, 0) as sold_quantity,
        sum(coalesce(sold_daily.sold_quantity, 0)) over (
            partition by days.store_durable_key, days.product_durable_key
            order by days.business_date
            rows between 27 preceding and current row
        ) as sold_28_days_quantity,
        least({{ days_between('days.first_date', 'days.business_date') }} + 1, 28)
            as known_day_count,
        case
            when days.is_happening
                then coalesce(days.counted_quantity, days.on_hand_quantity)
            else days.on_hand_quantity
        end as on_hand_quantity,
        case when days.is_happening then days.expected_quantity end as expected_quantity,
        days.in_transit_quantity,
        days.unit_cost,
        days.currency_code,
        greatest(days.batch_id, coalesce(sold_daily.batch_id, 0)) as batch_id
    from days
    left join {{ ref('int_inventory__sold_daily') }} as sold_daily
        on
            days.store_durable_key = sold_daily.store_durable_key
            and days.product_durable_key = sold_daily.product_durable_key
            and days.business_date = sold_daily.business_date
)

select * from filled
