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
spans as (
    select
        happenings.sender,
        happenings.store_durable_key,
        happenings.product_durable_key,
        happenings.business_date as happened_date,
        greatest(
            happenings.business_date,
            case
                when first_changed.first_changed_date > cast('1901-01-01' as date)
                    then {{ days_after('first_changed.first_changed_date', -27) }}
                else happenings.business_date
            end
        ) as from_date,
        least(
            {{ days_after(
                "coalesce(happenings.next_date, cast('9999-12-31' as date))", -1
            ) }},
            newest.newest_date
        ) as to_date,
        happenings.first_date,
        happenings.is_booking,
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
),

unfolded as (
    select
        sender,
        store_durable_key,
        product_durable_key,
        happened_date,
        {{ each_day('from_date', 'to_date') }} as business_date,
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
    from spans
    where from_date <= to_date
),

days as (
    select
        sender,
        store_durable_key,
        product_durable_key,
        business_date,
        happened_date = business_date as is_happening,
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
    from unfolded
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
