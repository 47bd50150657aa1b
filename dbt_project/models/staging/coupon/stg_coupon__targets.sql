with

versions as (
    {{ latest_version('coupon__target') }}
),

renamed as (
    select
        promotion_code,
        member_number_token,
        channel_code,
        sent_at,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
