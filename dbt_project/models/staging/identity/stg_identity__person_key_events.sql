with

events as (
    select
        event_at,
        event,
        person_key,
        other_person_key,
        changed_batch_id,
        reason
    from {{ source('identity', 'person_key_history') }}
)

select * from events
