{{ config(materialized='table') }}

with

touched_days as (
    select calendar_days.calendar_date as business_date
    from {{ ref('stg_reference__calendar_days') }} as calendar_days
    inner join {{ ref('int_inventory__first_changed') }} as first_changed
        on calendar_days.calendar_date >= first_changed.first_changed_date
    where {{ 'false' if replaces_all_days() else 'true' }}
)

select * from touched_days
