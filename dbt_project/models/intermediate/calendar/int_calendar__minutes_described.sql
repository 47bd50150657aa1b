with

minutes as (
    {{ number_series(1440) }}
),

described as (
    select
        number as time_of_day_key,
        cast(floor(number / 60) as integer) as hour,
        number % 60 as minute,
        case
            when number < 6 * 60 then 'night'
            when number < 11 * 60 then 'morning'
            when number < 14 * 60 then 'midday'
            when number < 17 * 60 then 'afternoon'
            when number < 21 * 60 then 'evening'
            else 'late evening'
        end as day_part
    from minutes
)

select * from described
