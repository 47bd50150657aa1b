with

versions as (
    {{ latest_version('web_order__order', version_by='updated_at') }}
),

renamed as (
    select
        order_id,
        order_type,
        store_code,
        channel_code,
        member_number_token,
        email_token,
        phone_token,
        recipient_name_token,
        address_token,
        city,
        visitor_id_token,
        ordered_at,
        updated_at,
        currency_code,
        total_amount,
        order_note,
        household_number_token,
        customer_account_token,
        country_code,
        coupon_code,
        status,
        paid_at,
        cancelled_at,
        traffic_source,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
