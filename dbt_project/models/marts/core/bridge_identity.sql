-- Grain: one row per identifier and person that it belongs or belonged to

with

identifiers as (
    select
        sender,
        identifier_kind,
        identifier_token,
        person_key,
        rule,
        confidence,
        version_number,
        valid_from_at,
        valid_to_at,
        is_current,
        changed_batch_id
    from {{ ref('int_customer__identifiers_ranged') }}
),

customers as (
    select customer_durable_key
    from {{ ref('dim_customer') }}
    where is_current
),

decisions as (
    select
        sender,
        identifier_kind,
        identifier_token,
        decision,
        decision_id
    from {{ ref('int_customer__decisions_held') }}
),

bridge as (
    select
        {{ surrogate_key([
            "'identity'",
            'identifiers.sender',
            'identifiers.identifier_kind',
            'identifiers.identifier_token',
            'identifiers.version_number'
        ]) }} as identity_key,
        identifiers.sender,
        identifiers.identifier_kind,
        identifiers.identifier_token,
        case
            when identifiers.person_key is null then -2
            else coalesce(customers.customer_durable_key, -1)
        end as customer_durable_key,
        identifiers.person_key,
        identifiers.rule,
        identifiers.confidence,
        case
            when identifiers.is_current then decisions.decision
            when identifiers.rule = 'steward' then 'force'
        end as decision,
        case when identifiers.is_current then decisions.decision_id end as decision_id,
        identifiers.valid_from_at,
        identifiers.valid_to_at,
        identifiers.is_current,
        identifiers.changed_batch_id
    from identifiers
    left join customers on identifiers.person_key = customers.customer_durable_key
    left join decisions
        on
            identifiers.sender = decisions.sender
            and identifiers.identifier_kind = decisions.identifier_kind
            and identifiers.identifier_token = decisions.identifier_token
)

select * from bridge
