-- Grain: one row per change of a member's consent to a purpose

with

consents as (
    select
        changes.record_key as consent_key,
        changes.sender,
        coalesce(customers.customer_key, -1) as customer_key,
        coalesce(customers.customer_durable_key, -1) as customer_durable_key,
        changes.purpose,
        changes.is_granted,
        changes.legal_basis,
        changes.source,
        changes.changed_at,
        -- Valid until the same account says something else about the same purpose, or it runs out.
        least(
            coalesce(
                lead(changes.changed_at) over (
                    partition by changes.sender, changes.member_number_token, changes.purpose
                    order by changes.changed_at, changes.record_key
                ),
                {{ end_of_time() }}
            ),
            coalesce(changes.expires_at, {{ end_of_time() }})
        ) as valid_to_at,
        cast(changes.changed_at as date) as business_date,
        {{ date_key('cast(changes.changed_at as date)') }} as date_key,
        changes.batch_id
    from {{ ref('stg_consent__changes') }} as changes
    left join {{ ref('stg_identity__person_identifiers') }} as identifiers
        on
            identifiers.identifier_kind = 'member'
            and changes.sender = identifiers.sender
            and changes.member_number_token = identifiers.identifier_token
    left join {{ ref('dim_customer') }} as customers
        on
            identifiers.person_key = customers.customer_durable_key
            and changes.changed_at >= customers.valid_from_at
            and changes.changed_at < customers.valid_to_at
)

select * from consents
