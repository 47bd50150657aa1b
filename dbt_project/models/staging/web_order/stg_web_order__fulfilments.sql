with

versions as (
    {{ latest_version('web_order__fulfilment', version_by='updated_at') }}
),

renamed as (
    select
        fulfilment_id,
        order_id,
        line_number,
        quantity,
        status,
        delivery_method,
        store_code,
        carrier_code,
        tracking_number_token,
        weight_grams,
        postage_amount,
        currency_code,
        ordered_at,
        paid_at,
        picked_at,
        packed_at,
        shipped_at,
        promised_at,
        delivered_at,
        returned_at,
        cancelled_at,
        updated_at,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
