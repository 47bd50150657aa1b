with

versions as (
    {{ latest_version('stock_movement__movement', version_by='sent_at') }}
),

renamed as (
    select
        movement_id,
        movement_type,
        store_code,
        product_code,
        quantity,
        moved_at,
        other_store_code,
        supplier_code,
        document_id,
        receipt_id,
        reason_code,
        unit_cost,
        cost_amount,
        currency_code,
        lot_number,
        expires_on,
        operator_code_token,
        sent_at,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
