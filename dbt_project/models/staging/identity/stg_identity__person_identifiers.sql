with

identifiers as (
    select
        sender,
        identifier_kind,
        identifier_token,
        person_key,
        rule,
        confidence,
        changed_batch_id
    from {{ source('identity', 'person_identifier') }}
)

select * from identifiers
