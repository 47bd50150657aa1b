with

versions as (
    {{ latest_version('store__store') }}
),

renamed as (
    select
        store_code,
        effective_at,
        name,
        banner,
        store_type,
        format,
        industry,
        region,
        city,
        country_code,
        time_zone,
        currency_code,
        cut_off_hour,
        opened_at,
        closed_at,
        zone_code,
        address,
        postcode,
        latitude,
        longitude,
        floor_area_square_metres,
        till_count,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
