-- Grain: one row per product, place and interval in which a price holds

with

-- A price of a zone or of all stores names none.
placed as (
    select
        intervals.price_key,
        intervals.sender,
        coalesce(products.product_key, -1) as product_key,
        coalesce(products.product_durable_key, -1) as product_durable_key,
        case when intervals.store_code is null then -2 else coalesce(stores.store_key, -1) end
            as store_key,
        case
            when intervals.store_code is null then -2
            else coalesce(stores.store_durable_key, -1)
        end as store_durable_key,
        intervals.zone_code,
        {{ local_date('intervals.valid_from_at', "coalesce(stores.time_zone, 'UTC')") }}
            as business_date,
        intervals.valid_from_at,
        intervals.valid_to_at,
        case
            when intervals.promotion_code is null then -2
            else coalesce(promotions.promotion_key, -1)
        end as promotion_key,
        intervals.reason_code,
        intervals.list_price,
        intervals.sale_price,
        intervals.member_price,
        coalesce(intervals.sale_price, intervals.list_price) as charged_price,
        intervals.is_tax_included,
        intervals.unit_of_measure,
        intervals.currency_code,
        intervals.batch_id
    from {{ ref('int_price__intervals_closed') }} as intervals
    left join {{ ref('dim_product') }} as products
        on
            intervals.sender = products.sender
            and intervals.product_code = products.product_code
            and intervals.valid_from_at >= products.valid_from_at
            and intervals.valid_from_at < products.valid_to_at
    left join {{ ref('dim_store') }} as stores
        on
            intervals.sender = stores.sender
            and intervals.store_code = stores.store_code
            and intervals.valid_from_at >= stores.valid_from_at
            and intervals.valid_from_at < stores.valid_to_at
    left join {{ ref('dim_promotion') }} as promotions
        on
            intervals.sender = promotions.sender
            and intervals.promotion_code = promotions.promotion_code
),

priced as (
    select
        placed.price_key,
        placed.sender,
        placed.product_key,
        placed.product_durable_key,
        placed.store_key,
        placed.store_durable_key,
        placed.zone_code,
        placed.business_date,
        {{ date_key('placed.business_date') }} as date_key,
        placed.valid_from_at,
        placed.valid_to_at,
        placed.promotion_key,
        placed.reason_code,
        placed.list_price,
        placed.sale_price,
        placed.member_price,
        placed.charged_price,
        case
            when placed.list_price > 0
                then 1 - cast(placed.charged_price as double) / cast(placed.list_price as double)
        end as reduction_share,
        placed.is_tax_included,
        placed.unit_of_measure,
        placed.currency_code,
        cast(
            case
                when placed.currency_code = {{ reporting_currency() }} then 1
                else rates.exchange_rate
            end as decimal(20, 12)
        ) as exchange_rate,
        placed.batch_id
    from placed
    left join {{ ref('int_rates__daily') }} as rates
        on
            placed.currency_code = rates.currency_code
            and placed.business_date = rates.business_date
),

valued as (
    select
        price_key,
        sender,
        product_key,
        product_durable_key,
        store_key,
        store_durable_key,
        zone_code,
        business_date,
        date_key,
        valid_from_at,
        valid_to_at,
        promotion_key,
        reason_code,
        list_price,
        sale_price,
        member_price,
        charged_price,
        reduction_share,
        is_tax_included,
        unit_of_measure,
        currency_code,
        exchange_rate,
        {{ reporting_amount('list_price', 'exchange_rate') }} as list_price_reporting,
        {{ reporting_amount('charged_price', 'exchange_rate') }} as charged_price_reporting,
        batch_id
    from priced
)

select * from valued
