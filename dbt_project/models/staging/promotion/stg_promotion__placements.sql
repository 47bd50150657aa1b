with

versions as (
    {{ latest_version('promotion__placement', version_by='updated_at') }}
),

renamed as (
    select
        store_code,
        product_code,
        starts_on,
        ends_on,
        promotion_code,
        display_code,
        advert_code,
        updated_at,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
