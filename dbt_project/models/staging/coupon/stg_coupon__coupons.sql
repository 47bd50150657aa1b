with

versions as (
    {{ latest_version('coupon__coupon') }}
),

renamed as (
    select
        coupon_code,
        promotion_code,
        product_code,
        name,
        discount_amount,
        discount_share,
        minimum_spend_amount,
        currency_code,
        starts_on,
        ends_on,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
