-- Grain: one row per coupon and campaign

with

redeemed as (
    select
        coupon_key,
        campaign_key,
        count(*) as redemption_count,
        count(distinct customer_durable_key) as redeemer_count,
        count(distinct case when transaction_key >= 0 then transaction_key end)
            as transaction_count,
        min(business_date) as first_redeemed_date,
        max(business_date) as last_redeemed_date,
        sum(discount_amount_reporting) as discount_amount_reporting
    from {{ ref('fct_coupon_redemption') }}
    group by coupon_key, campaign_key
),

performed as (
    select
        {{ surrogate_key([
            "'coupon_performance'", 'coupons.coupon_key', 'campaigns.campaign_key'
        ]) }} as coupon_performance_key,
        printings.sender,
        coupons.coupon_key,
        printings.coupon_code,
        coupons.name as coupon_name,
        campaigns.campaign_key,
        campaigns.name as campaign_name,
        campaigns.starts_on,
        campaigns.ends_on,
        cast(printings.product_count as integer) as product_count,
        cast(printings.target_count as integer) as target_count,
        cast(coalesce(redeemed.redemption_count, 0) as integer) as redemption_count,
        cast(coalesce(redeemed.redeemer_count, 0) as integer) as redeemer_count,
        cast(coalesce(redeemed.transaction_count, 0) as integer) as transaction_count,
        case
            when printings.target_count > 0
                then
                    cast(coalesce(redeemed.redeemer_count, 0) as double)
                    / cast(printings.target_count as double)
        end as redeemer_share,
        redeemed.first_redeemed_date,
        redeemed.last_redeemed_date,
        cast(redeemed.discount_amount_reporting as decimal(18, 4)) as discount_amount_reporting
    from {{ ref('int_coupon__printings_summed') }} as printings
    inner join {{ ref('dim_coupon') }} as coupons
        on
            printings.sender = coupons.sender
            and printings.coupon_code = coupons.coupon_code
    inner join {{ ref('dim_campaign') }} as campaigns
        on
            printings.sender = campaigns.sender
            and printings.promotion_code = campaigns.campaign_code
    left join redeemed
        on
            coupons.coupon_key = redeemed.coupon_key
            and campaigns.campaign_key = redeemed.campaign_key
)

select * from performed
