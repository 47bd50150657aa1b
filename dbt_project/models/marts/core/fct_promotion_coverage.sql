-- Grain: one row per store, product, promotion and day on which it was on offer or display

with

coverage as (
    select
        {{ surrogate_key([
            "'promotion_coverage'",
            'covered.store_durable_key',
            'covered.product_durable_key',
            'covered.promotion_code',
            'covered.business_date',
        ]) }} as promotion_coverage_key,
        covered.sender,
        covered.business_date,
        {{ date_key('covered.business_date') }} as date_key,
        stores.store_key,
        covered.store_durable_key,
        products.product_key,
        covered.product_durable_key,
        case
            when covered.promotion_code is null then -2
            else coalesce(promotions.promotion_key, -1)
        end as promotion_key,
        covered.is_offered,
        covered.display_code,
        covered.advert_code,
        covered.batch_id
    from {{ ref('int_promotion__days_covered') }} as covered
    inner join {{ ref('dim_store') }} as stores
        on
            covered.store_durable_key = stores.store_durable_key
            and {{ days_after('covered.business_date', 1) }} > stores.valid_from_at
            and {{ days_after('covered.business_date', 1) }} <= stores.valid_to_at
    inner join {{ ref('dim_product') }} as products
        on
            covered.product_durable_key = products.product_durable_key
            and {{ days_after('covered.business_date', 1) }} > products.valid_from_at
            and {{ days_after('covered.business_date', 1) }} <= products.valid_to_at
    left join {{ ref('dim_promotion') }} as promotions
        on
            covered.sender = promotions.sender
            and covered.promotion_code = promotions.promotion_code
)

select * from coverage
