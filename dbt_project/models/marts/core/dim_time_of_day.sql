with

minutes as (
    select
        time_of_day_key,
        hour,
        minute,
        day_part
    from {{ ref('int_calendar__minutes_described') }}
),

members as (
    {{ contracted('minutes') }}
    union all
    {{ reserved_members(key_columns=['time_of_day_key'], name_columns=['day_part']) }}
)

select * from members
