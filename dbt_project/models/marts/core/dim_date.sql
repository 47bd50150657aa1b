with

calendar_days as (
    {{ contracted(ref('stg_reference__calendar_days')) }}
),

reserved as (
    {{ reserved_members(
        key_columns=['date_key'],
        name_columns=['weekday_name_en', 'month_name_en']
    ) }}
),

members as (
    {{ contracted('calendar_days') }}
    union all
    {{ contracted('reserved') }}
)

select * from members
