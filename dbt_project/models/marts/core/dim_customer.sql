with

persons as (
    select
        person_key,
        sender,
        joined_at,
        first_store_code,
        birth_decade,
        age_band,
        gender,
        regrouped_batch_id
    from {{ ref('int_customer__persons_described') }}
),

versions as (
    select
        person_key,
        home_sender,
        country_code,
        city,
        home_store_code,
        tier,
        has_marketing_consent,
        has_profiling_consent,
        has_sharing_consent,
        has_sensitive_consent,
        changed_at,
        valid_from_at,
        valid_to_at,
        is_current,
        changed_batch_id
    from {{ ref('int_customer__versions_split') }}
),

stores as (
    select
        sender,
        store_code,
        store_durable_key,
        banner,
        time_zone
    from {{ ref('dim_store') }}
    where is_current
),

-- Where a sender has one banner only, it is the banner of all its customers.
sender_banners as (
    select
        sender,
        min(banner) as banner
    from stores
    group by sender
    having count(distinct banner) = 1
),

described as (
    select
        persons.person_key as customer_durable_key,
        {{ local_date('persons.joined_at', "coalesce(first_stores.time_zone, 'UTC')") }}
            as member_since_date,
        persons.birth_decade,
        persons.age_band,
        persons.gender,
        versions.country_code,
        versions.city,
        case
            when persons.joined_at is null then -2
            else coalesce(home_stores.store_durable_key, -1)
        end as home_store_durable_key,
        versions.tier,
        coalesce(versions.has_marketing_consent, false) as has_marketing_consent,
        coalesce(versions.has_profiling_consent, false) as has_profiling_consent,
        coalesce(versions.has_sharing_consent, false) as has_sharing_consent,
        coalesce(versions.has_sensitive_consent, false) as has_sensitive_consent,
        persons.sender,
        coalesce(first_stores.banner, sender_banners.banner) as banner,
        versions.changed_at,
        coalesce(versions.valid_from_at, {{ beginning_of_time() }}) as valid_from_at,
        coalesce(versions.valid_to_at, {{ end_of_time() }}) as valid_to_at,
        coalesce(versions.is_current, true) as is_current,
        -- Known by a phone, card or browser alone: no member record has come yet.
        persons.joined_at is null as is_inferred,
        greatest(coalesce(versions.changed_batch_id, 0), persons.regrouped_batch_id)
            as changed_batch_id
    from persons
    left join versions on persons.person_key = versions.person_key
    left join stores as home_stores
        on
            versions.home_sender = home_stores.sender
            and versions.home_store_code = home_stores.store_code
    left join stores as first_stores
        on
            persons.sender = first_stores.sender
            and persons.first_store_code = first_stores.store_code
    left join sender_banners on persons.sender = sender_banners.sender
),

keyed as (
    select
        {{ surrogate_key(["'customer_version'", 'customer_durable_key', 'changed_at']) }}
            as customer_key,
        customer_durable_key,
        member_since_date,
        birth_decade,
        age_band,
        gender,
        country_code,
        city,
        home_store_durable_key,
        tier,
        has_marketing_consent,
        has_profiling_consent,
        has_sharing_consent,
        has_sensitive_consent,
        sender,
        banner,
        valid_from_at,
        valid_to_at,
        is_current,
        is_inferred,
        changed_batch_id
    from described
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(
        key_columns=['customer_key', 'customer_durable_key'],
        name_columns=[],
        given={
            'home_store_durable_key': '-2',
            'has_marketing_consent': 'false',
            'has_profiling_consent': 'false',
            'has_sharing_consent': 'false',
            'has_sensitive_consent': 'false',
            'valid_from_at': beginning_of_time(),
            'valid_to_at': end_of_time(),
            'is_current': 'true',
            'is_inferred': 'false',
            'changed_batch_id': '0',
        }
    ) }}
)

select * from members
