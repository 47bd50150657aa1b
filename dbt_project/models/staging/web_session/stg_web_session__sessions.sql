with

versions as (
    {{ latest_version('web_session__session', version_by='updated_at') }}
),

renamed as (
    select
        session_id,
        store_code,
        visitor_id_token,
        member_number_token,
        started_at,
        ended_at,
        month_number,
        is_weekend,
        page_count,
        account_page_count,
        account_seconds,
        information_page_count,
        information_seconds,
        product_page_count,
        product_seconds,
        search_count,
        bounce_share,
        exit_share,
        page_value,
        special_day_share,
        visitor_type,
        device,
        operating_system_code,
        browser_code,
        region_code,
        traffic_source_code,
        utm_source,
        utm_medium,
        utm_campaign,
        landing_page,
        exit_page,
        is_converted,
        order_id,
        updated_at,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
