with

identifiers as (
    select
        sender,
        identifier_token,
        person_key,
        changed_batch_id
    from {{ ref('stg_identity__person_identifiers') }}
    where identifier_kind = 'member' and person_key is not null
),

changes as (
    select
        changes.sender,
        changes.member_number_token,
        changes.purpose,
        changes.changed_at,
        changes.is_granted,
        changes.batch_id,
        {{ is_conflicted('consent__change', 'changes') }} as is_conflicted
    from {{ ref('stg_consent__changes') }} as changes
),

resolved as (
    select
        identifiers.person_key,
        changes.purpose,
        changes.changed_at,
        -- Given and withdrawn in the same moment is withdrawn.
        min(case when changes.is_granted then 1 else 0 end) = 1 as is_granted,
        max(greatest(changes.batch_id, identifiers.changed_batch_id)) as batch_id,
        -- A statement that another account's overrules has replaced it like other content would.
        max(case when changes.is_conflicted then 1 else 0 end) = 1 or count(*) > 1
            as is_conflicted
    from changes
    inner join identifiers
        on
            changes.sender = identifiers.sender
            and changes.member_number_token = identifiers.identifier_token
    group by identifiers.person_key, changes.purpose, changes.changed_at
)

select * from resolved
