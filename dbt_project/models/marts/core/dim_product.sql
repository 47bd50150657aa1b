with

versions as (
    select
        sender,
        product_code,
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
        list_price_amount,
        list_price_band,
        currency_code,
        is_perishable,
        is_merchandise,
        changed_at,
        valid_from_at,
        valid_to_at,
        is_current,
        changed_batch_id
    from {{ ref('int_product__versions_split') }}
),

collected as (
    select
        sender,
        product_code
    from {{ ref('int_product__codes_collected') }}
),

-- A code that only facts know has one version, completed under the same key when its thing comes.
described as (
    select
        coalesce(versions.sender, collected.sender) as sender,
        coalesce(versions.product_code, collected.product_code) as product_code,
        versions.gtin,
        coalesce(versions.name, versions.product_code, collected.product_code) as name,
        versions.name_local,
        versions.department,
        versions.category,
        versions.subcategory,
        versions.brand,
        versions.unit_of_measure,
        versions.package_size,
        versions.tax_class,
        versions.list_price_amount,
        versions.list_price_band,
        versions.currency_code,
        versions.is_perishable,
        coalesce(versions.is_merchandise, true) as is_merchandise,
        versions.changed_at,
        coalesce(versions.valid_from_at, {{ beginning_of_time() }}) as valid_from_at,
        coalesce(versions.valid_to_at, {{ end_of_time() }}) as valid_to_at,
        coalesce(versions.is_current, true) as is_current,
        versions.product_code is null as is_inferred,
        coalesce(versions.changed_batch_id, 0) as changed_batch_id
    from versions
    full outer join collected
        on versions.sender = collected.sender and versions.product_code = collected.product_code
),

keyed as (
    select
        {{ surrogate_key(["'product_version'", 'sender', 'product_code', 'changed_at']) }}
            as product_key,
        {{ surrogate_key(["'product'", 'sender', 'product_code']) }} as product_durable_key,
        sender,
        product_code,
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
        list_price_amount,
        list_price_band,
        currency_code,
        is_perishable,
        is_merchandise,
        valid_from_at,
        valid_to_at,
        is_current,
        is_inferred,
        changed_batch_id
    from described
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(
        key_columns=['product_key', 'product_durable_key'],
        name_columns=['name'],
        given={
            'is_merchandise': 'false',
            'valid_from_at': beginning_of_time(),
            'valid_to_at': end_of_time(),
            'is_current': 'true',
            'is_inferred': 'false',
            'changed_batch_id': '0',
        }
    ) }}
)

select * from members
