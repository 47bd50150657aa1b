-- Grain: one row per redemption of a coupon by a member

with

located as (
    select
        redemptions.record_key as coupon_redemption_key,
        redemptions.sender,
        redemptions.coupon_code,
        redemptions.promotion_code,
        redemptions.redemption_number,
        redemptions.redeemed_on,
        redemptions.redeemed_at,
        redemptions.receipt_id,
        redemptions.discount_amount,
        redemptions.batch_id,
        case when redemptions.store_code is null then -2 else coalesce(stores.store_key, -1) end
            as store_key,
        case
            when redemptions.store_code is null then -2
            else coalesce(stores.store_durable_key, -1)
        end as store_durable_key,
        coalesce(customers.customer_key, -1) as customer_key,
        coalesce(customers.customer_durable_key, -1) as customer_durable_key,
        stores.currency_code as store_currency_code
    from {{ ref('stg_coupon__redemptions') }} as redemptions
    left join {{ ref('dim_store') }} as stores
        on
            redemptions.sender = stores.sender
            and redemptions.store_code = stores.store_code
            and {{ days_after('redemptions.redeemed_on', 1) }} > stores.valid_from_at
            and {{ days_after('redemptions.redeemed_on', 1) }} <= stores.valid_to_at
    left join {{ ref('stg_identity__person_identifiers') }} as identifiers
        on
            identifiers.identifier_kind = 'member'
            and redemptions.sender = identifiers.sender
            and redemptions.member_number_token = identifiers.identifier_token
    left join {{ ref('dim_customer') }} as customers
        on
            identifiers.person_key = customers.customer_durable_key
            and {{ days_after('redemptions.redeemed_on', 1) }} > customers.valid_from_at
            and {{ days_after('redemptions.redeemed_on', 1) }} <= customers.valid_to_at
),

redeemed as (
    select
        located.coupon_redemption_key,
        located.sender,
        coalesce(coupons.coupon_key, -1) as coupon_key,
        coalesce(campaigns.campaign_key, -1) as campaign_key,
        cast(located.redemption_number as integer) as redemption_number,
        located.redeemed_on as business_date,
        {{ date_key('located.redeemed_on') }} as date_key,
        located.redeemed_at,
        located.store_key,
        located.store_durable_key,
        located.customer_key,
        located.customer_durable_key,
        case
            when located.receipt_id is null then -2
            else coalesce(till_receipts.transaction_key, web_orders.transaction_key, -1)
        end as transaction_key,
        located.discount_amount,
        coalesce(
            till_receipts.currency_code, web_orders.currency_code, located.store_currency_code,
            coupons.currency_code
        ) as currency_code,
        located.batch_id
    from located
    left join {{ ref('dim_coupon') }} as coupons
        on located.sender = coupons.sender and located.coupon_code = coupons.coupon_code
    left join {{ ref('dim_campaign') }} as campaigns
        on
            located.sender = campaigns.sender
            and located.promotion_code = campaigns.campaign_code
    left join {{ ref('int_sales__headers_resolved') }} as till_receipts
        on
            till_receipts.template = 'pos_standard'
            and located.sender = till_receipts.sender
            and located.receipt_id = till_receipts.receipt_id
    left join {{ ref('int_sales__headers_resolved') }} as web_orders
        on
            web_orders.template = 'web_order'
            and located.sender = web_orders.sender
            and located.receipt_id = web_orders.receipt_id
),

rated as (
    select
        redeemed.coupon_redemption_key,
        redeemed.sender,
        redeemed.coupon_key,
        redeemed.campaign_key,
        redeemed.redemption_number,
        redeemed.business_date,
        redeemed.date_key,
        redeemed.redeemed_at,
        redeemed.store_key,
        redeemed.store_durable_key,
        redeemed.customer_key,
        redeemed.customer_durable_key,
        redeemed.transaction_key,
        redeemed.discount_amount,
        redeemed.currency_code,
        {{ reporting_amount('redeemed.discount_amount', "case when redeemed.currency_code = "
            ~ reporting_currency() ~ " then 1 else rates.exchange_rate end") }}
            as discount_amount_reporting,
        redeemed.batch_id
    from redeemed
    left join {{ ref('int_rates__daily') }} as rates
        on
            redeemed.currency_code = rates.currency_code
            and redeemed.business_date = rates.business_date
)

select * from rated
