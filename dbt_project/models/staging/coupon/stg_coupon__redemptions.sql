with

versions as (
    {{ latest_version('coupon__redemption') }}
),

renamed as (
    select
        coupon_code,
        promotion_code,
        member_number_token,
        redeemed_on,
        redemption_number,
        receipt_id,
        store_code,
        discount_amount,
        redeemed_at,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
