with

versions as (
    {{ latest_version('market_price__observation', version_by='updated_at') }}
),

renamed as (
    select
        region_code,
        region_level,
        competitor_code,
        product_code,
        own_product_code,
        name,
        category,
        variety,
        package_type,
        period_type,
        period_ends_on,
        currency_code,
        unit_of_measure,
        average_price,
        list_price,
        sold_quantity,
        sold_amount,
        sample_count,
        is_promotion,
        is_in_stock,
        source,
        observed_at,
        updated_at,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
