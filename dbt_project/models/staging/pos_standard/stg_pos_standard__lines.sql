with

versions as (
    {{ latest_version('pos_standard__line', version_by='sent_at') }}
),

renamed as (
    select
        receipt_id,
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
        original_receipt_id,
        original_line_number,
        sold_at,
        sent_at,
        product_name,
        gtin,
        department_code,
        unit_of_measure,
        tax_code,
        tax_share,
        coupon_code,
        entry_method,
        salesperson_code_token,
        serial_number,
        reason_code,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
