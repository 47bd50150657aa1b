with

versions as (
    {{ latest_version('product__product') }}
),

renamed as (
    select
        product_code,
        effective_at,
        gtin,
        name,
        name_local,
        department,
        category,
        subcategory,
        brand,
        unit_of_measure,
        package_size,
        tax_class,
        list_price,
        cost_price,
        currency_code,
        is_perishable,
        is_merchandise,
        style_code,
        variant,
        description,
        tags,
        supplier_code,
        service_code,
        sale_price,
        is_taxable,
        is_published,
        is_shippable,
        weight_grams,
        length_centimetres,
        width_centimetres,
        height_centimetres,
        photo_count,
        image_url,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
