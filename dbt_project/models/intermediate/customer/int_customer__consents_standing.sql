with

identifiers as (
    select
        sender,
        identifier_token,
        person_key
    from {{ ref('stg_identity__person_identifiers') }}
    where identifier_kind = 'member' and person_key is not null
),

changes as (
    select
        sender,
        member_number_token,
        purpose,
        changed_at,
        is_granted,
        expires_at
    from {{ ref('stg_consent__changes') }}
    where changed_at <= {{ consent_moment() }}
),

resolved as (
    select
        identifiers.person_key,
        changes.purpose,
        changes.changed_at,
        -- Given and withdrawn in the same moment is withdrawn.
        min(case when changes.is_granted then 1 else 0 end) = 1 as was_granted,
        min(changes.expires_at) as expires_at
    from changes
    inner join identifiers
        on
            changes.sender = identifiers.sender
            and changes.member_number_token = identifiers.identifier_token
    group by identifiers.person_key, changes.purpose, changes.changed_at
),

-- The last word holds, in whichever account it was said.
latest as (
    select
        person_key,
        purpose,
        changed_at,
        was_granted,
        expires_at
    from resolved
    qualify row_number() over (partition by person_key, purpose order by changed_at desc) = 1
),

standing as (
    select
        person_key,
        purpose,
        changed_at,
        expires_at,
        was_granted and coalesce(expires_at > {{ consent_moment() }}, true) as is_granted
    from latest
)

select * from standing
