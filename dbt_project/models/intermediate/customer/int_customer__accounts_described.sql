with

accounts as (
    select
        sender,
        identifier_token as member_number_token,
        person_key,
        changed_batch_id
    from {{ ref('stg_identity__person_identifiers') }}
    where identifier_kind = 'member'
),

versions as (
    select
        sender,
        member_number_token,
        joined_at,
        first_store_code,
        programme_code,
        tier,
        status,
        expires_on,
        changed_at,
        valid_from_at,
        valid_to_at,
        is_current,
        changed_batch_id
    from {{ ref('int_customer__accounts_split') }}
),

stores as (
    select
        sender,
        store_code,
        time_zone
    from {{ ref('dim_store') }}
    where is_current
),

described as (
    select
        accounts.sender,
        accounts.member_number_token,
        coalesce(accounts.person_key, -2) as customer_durable_key,
        versions.programme_code,
        {{ local_date('versions.joined_at', "coalesce(stores.time_zone, 'UTC')") }}
            as joined_date,
        versions.tier,
        versions.status,
        versions.expires_on as expiry_date,
        versions.changed_at,
        coalesce(versions.valid_from_at, {{ beginning_of_time() }}) as valid_from_at,
        coalesce(versions.valid_to_at, {{ end_of_time() }}) as valid_to_at,
        coalesce(versions.is_current, true) as is_current,
        -- A number that receipts or orders name and no member record has come for.
        versions.sender is null as is_inferred,
        greatest(coalesce(versions.changed_batch_id, 0), accounts.changed_batch_id)
            as changed_batch_id
    from accounts
    left join versions
        on
            accounts.sender = versions.sender
            and accounts.member_number_token = versions.member_number_token
    left join stores
        on
            versions.sender = stores.sender
            and versions.first_store_code = stores.store_code
)

select * from described
