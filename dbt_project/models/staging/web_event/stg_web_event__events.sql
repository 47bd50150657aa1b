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
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
