-- Grain: one row per cinema, weekday and hour in which shows begin
with

slots as (
    select
        occupancy.store_durable_key,
        dates.weekday_number,
        dates.weekday_name_en,
        times.hour as start_hour,
        cast(count(distinct occupancy.show_key) as integer) as show_count,
        cast(sum(occupancy.sold_count) as integer) as ticket_count,
        cast(sum(occupancy.seat_count) as integer) as seat_count,
        sum(case when occupancy.seat_count > 0 then occupancy.sold_count end) as seated_count,
        cast(sum(occupancy.gross_incl_tax_amount_reporting) as decimal(18, 4))
            as box_office_amount_reporting
    from {{ ref('fct_seat_occupancy') }} as occupancy
    inner join {{ ref('dim_date') }} as dates on occupancy.date_key = dates.date_key
    inner join {{ ref('dim_time_of_day') }} as times
        on occupancy.time_of_day_key = times.time_of_day_key
    where occupancy.time_of_day_key >= 0
    group by
        occupancy.store_durable_key, dates.weekday_number, dates.weekday_name_en, times.hour
),

-- Of the seats that are known only: a class without its number of seats says nothing.
shared as (
    select
        store_durable_key,
        weekday_number,
        weekday_name_en,
        start_hour,
        show_count,
        ticket_count,
        seat_count,
        cast(seated_count as double) / nullif(seat_count, 0) as occupied_share,
        cast(ticket_count as double) / show_count as tickets_per_show,
        box_office_amount_reporting
    from slots
)

select * from shared
