with

versions as (
    {{ latest_version('promotion__product') }}
),

renamed as (
    select
        promotion_code,
        product_code,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
