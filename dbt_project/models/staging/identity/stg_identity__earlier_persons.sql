with

earlier as (
    select
        sender,
        identifier_kind,
        identifier_token,
        person_key,
        rule,
        confidence,
        until_at,
        changed_batch_id
    from {{ source('identity', 'person_identifier_history') }}
)

select * from earlier
