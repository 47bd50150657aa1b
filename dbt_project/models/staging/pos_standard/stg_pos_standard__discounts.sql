with

versions as (
    {{ latest_version('pos_standard__discount', version_by='sent_at') }}
),

renamed as (
    select
        receipt_id,
        discount_number,
        line_number,
        discount_type,
        promotion_code,
        coupon_code,
        amount,
        points,
        reason_code,
        sold_at,
        sent_at,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
