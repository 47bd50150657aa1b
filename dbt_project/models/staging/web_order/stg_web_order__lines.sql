with

versions as (
    {{ latest_version('web_order__line', version_by='updated_at') }}
),

renamed as (
    select
        order_id,
        line_number,
        line_type,
        product_code,
        quantity,
        unit_price,
        list_amount,
        discount_amount,
        tax_amount,
        cost_amount,
        promotion_code,
        original_order_id,
        original_line_number,
        ordered_at,
        updated_at,
        product_name,
        coupon_code,
        tax_share,
        reason_code,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
