with

versions as (
    {{ latest_version('coupon__coupon') }}
),

renamed as (
    select
        coupon_code,
        promotion_code,
        product_code,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
