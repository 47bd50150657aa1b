with

versions as (
    {{ latest_version('web_order__refund', version_by='updated_at') }}
),

renamed as (
    select
        refund_id,
        order_id,
        line_number,
        status,
        reason_code,
        quantity,
        refund_amount,
        tax_amount,
        postage_amount,
        currency_code,
        tender_type_code,
        reference_number,
        requested_at,
        refunded_at,
        updated_at,
        note,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
