with

printed as (
    select
        sender,
        coupon_code,
        promotion_code,
        count(distinct product_code) as product_count
    from {{ ref('stg_coupon__coupons') }}
    group by sender, coupon_code, promotion_code
),

redeemed as (
    select distinct
        sender,
        coupon_code,
        promotion_code
    from {{ ref('stg_coupon__redemptions') }}
),

targets as (
    select
        sender,
        promotion_code,
        count(distinct member_number_token) as target_count
    from {{ ref('stg_coupon__targets') }}
    group by sender, promotion_code
),

-- A code that was redeemed without being printed has no products.
combined as (
    select
        coalesce(printed.sender, redeemed.sender) as sender,
        coalesce(printed.coupon_code, redeemed.coupon_code) as coupon_code,
        coalesce(printed.promotion_code, redeemed.promotion_code) as promotion_code,
        coalesce(printed.product_count, 0) as product_count
    from printed
    full outer join redeemed
        on
            printed.sender = redeemed.sender
            and printed.coupon_code = redeemed.coupon_code
            and printed.promotion_code = redeemed.promotion_code
),

summed as (
    select
        combined.sender,
        combined.coupon_code,
        combined.promotion_code,
        combined.product_count,
        coalesce(targets.target_count, 0) as target_count
    from combined
    left join targets
        on combined.sender = targets.sender and combined.promotion_code = targets.promotion_code
)

select * from summed
