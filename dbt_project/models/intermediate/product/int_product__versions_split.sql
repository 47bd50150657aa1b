with

products as (
    select
        products.sender,
        products.product_code,
        products.effective_at as stated_at,
        products.gtin,
        products.name,
        products.name_local,
        products.department,
        products.category,
        products.subcategory,
        products.brand,
        products.unit_of_measure,
        products.package_size,
        products.tax_class,
        products.list_price as list_price_amount,
        {{ price_band('products.list_price') }} as list_price_band,
        products.currency_code,
        products.is_perishable,
        products.is_merchandise,
        products.batch_id,
        {{ is_conflicted('product__product', 'products') }} as is_conflicted
    from {{ ref('stg_product__products') }} as products
),

versions as (
    {{ version_intervals(
        'products',
        ['sender', 'product_code'],
        ['department', 'category', 'subcategory', 'brand', 'tax_class', 'list_price_band']
    ) }}
),

-- Corrections of spelling and of what the product always was hold for its whole history.
corrected as (
    select
        sender,
        product_code,
        gtin,
        name,
        name_local,
        unit_of_measure,
        package_size,
        currency_code,
        is_perishable,
        is_merchandise
    from products
    qualify row_number() over (partition by sender, product_code order by stated_at desc) = 1
),

described as (
    select
        versions.sender,
        versions.product_code,
        versions.version_number,
        corrected.gtin,
        corrected.name,
        corrected.name_local,
        products.department,
        products.category,
        products.subcategory,
        products.brand,
        corrected.unit_of_measure,
        corrected.package_size,
        products.tax_class,
        products.list_price_amount,
        products.list_price_band,
        corrected.currency_code,
        corrected.is_perishable,
        corrected.is_merchandise,
        versions.changed_at,
        versions.valid_from_at,
        versions.valid_to_at,
        versions.is_current,
        versions.changed_batch_id
    from versions
    inner join products
        on
            versions.sender = products.sender
            and versions.product_code = products.product_code
            and versions.last_stated_at = products.stated_at
    inner join corrected
        on versions.sender = corrected.sender and versions.product_code = corrected.product_code
)

select * from described
