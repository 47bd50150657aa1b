with

versions as (
    {{ latest_version('price__price', version_by='updated_at') }}
),

renamed as (
    select
        product_code,
        store_code,
        zone_code,
        valid_from_at,
        valid_to_at,
        currency_code,
        list_price,
        sale_price,
        member_price,
        is_tax_included,
        unit_of_measure,
        reason_code,
        promotion_code,
        updated_at,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
