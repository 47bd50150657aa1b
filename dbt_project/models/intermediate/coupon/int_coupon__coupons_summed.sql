with

coupons as (
    select
        sender,
        coupon_code,
        promotion_code,
        product_code,
        name,
        discount_amount,
        discount_share,
        minimum_spend_amount,
        currency_code,
        starts_on,
        ends_on,
        batch_id
    from {{ ref('stg_coupon__coupons') }}
),

-- Printed again for a later campaign, a coupon keeps its code: what it says last, holds.
summed as (
    select
        sender,
        coupon_code,
        max_by(name, record_order) as name,
        max_by(discount_amount, record_order) as discount_amount,
        max_by(discount_share, record_order) as discount_share,
        max_by(minimum_spend_amount, record_order) as minimum_spend_amount,
        max_by(currency_code, record_order) as currency_code,
        min(starts_on) as starts_on,
        max(ends_on) as ends_on,
        cast(count(distinct promotion_code) as integer) as campaign_count,
        cast(count(distinct product_code) as integer) as product_count,
        max(batch_id) as changed_batch_id
    from (
        select
            sender,
            coupon_code,
            promotion_code,
            product_code,
            name,
            discount_amount,
            discount_share,
            minimum_spend_amount,
            currency_code,
            starts_on,
            ends_on,
            batch_id,
            concat(
                coalesce(cast(starts_on as varchar), ''), ' ', promotion_code, ' ', product_code
            ) as record_order
        from coupons
    ) as ordered
    group by sender, coupon_code
)

select * from summed
