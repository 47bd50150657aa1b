with

versions as (
    {{ latest_version('promotion__promotion', version_by='updated_at') }}
),

renamed as (
    select
        promotion_code,
        name,
        mechanic,
        discount_share,
        funding,
        starts_on,
        ends_on,
        updated_at,
        description,
        discount_amount,
        minimum_spend_amount,
        currency_code,
        channel_code,
        is_member_only,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
