with

moments as (
    select
        person_key,
        stated_at,
        sender,
        country_code,
        city,
        home_store_code,
        tier,
        has_marketing_consent,
        has_profiling_consent,
        has_sharing_consent,
        has_sensitive_consent,
        batch_id,
        is_conflicted
    from {{ ref('int_customer__moments_described') }}
),

versions as (
    {{ version_intervals(
        'moments',
        ['person_key'],
        [
            'sender', 'country_code', 'city', 'home_store_code', 'tier', 'has_marketing_consent',
            'has_profiling_consent', 'has_sharing_consent', 'has_sensitive_consent'
        ]
    ) }}
),

described as (
    select
        versions.person_key,
        versions.version_number,
        moments.sender as home_sender,
        moments.country_code,
        moments.city,
        moments.home_store_code,
        moments.tier,
        moments.has_marketing_consent,
        moments.has_profiling_consent,
        moments.has_sharing_consent,
        moments.has_sensitive_consent,
        versions.changed_at,
        versions.valid_from_at,
        versions.valid_to_at,
        versions.is_current,
        versions.changed_batch_id
    from versions
    inner join moments
        on
            versions.person_key = moments.person_key
            and versions.last_stated_at = moments.stated_at
)

select * from described
