{{ config(materialized='table') }}

with

-- A visit stands on the day it began, so it is written again with any day it reaches into.
days as (
    select business_date
    from {{ ref('int_web__touched_days') }}

    union

    select starts.business_date
    from {{ ref('fct_web_event') }} as events
    inner join {{ ref('fct_web_event') }} as starts on events.session_key = starts.web_event_key
    inner join {{ ref('int_web__touched_days') }} as touched
        on events.business_date = touched.business_date
    {{- days_still_to_write() }}
),

touched_session_days as (
    select
        business_date,
        {{ built_batch_id() }} as since_batch_id
    from days
    where {{ 'false' if replaces_all_days() else 'true' }}
)

select * from touched_session_days
