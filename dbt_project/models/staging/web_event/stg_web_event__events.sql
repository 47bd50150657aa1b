with

versions as (
    {{ latest_version('web_event__event') }}
),

renamed as (
    select
        event_id,
        store_code,
        visitor_id_token,
        member_number_token,
        occurred_at,
        event_type,
        page,
        product_code,
        search_text,
        dwell_seconds,
        utm_source,
        device,
        order_id,
        session_id,
        page_title,
        referrer,
        element,
        quantity,
        amount,
        currency_code,
        utm_medium,
        utm_campaign,
        visitor_type,
        cohort,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
