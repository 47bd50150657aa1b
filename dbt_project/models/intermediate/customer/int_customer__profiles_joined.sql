with

customers as (
    select customer_durable_key
    from {{ ref('dim_customer') }}
    where is_current and customer_durable_key >= 0
),

joined as (
    select
        customers.customer_durable_key,
        visits.first_store_date,
        visits.last_store_date,
        visits.first_web_date,
        visits.last_web_date,
        visits.first_app_date,
        visits.last_app_date,
        cast(coalesce(visits.channel_count, 0) as integer) as channel_count,
        visits.favourite_hour,
        visits.favourite_weekday,
        cast(coalesce(visits.instalment_receipt_count, 0) as integer)
            as instalment_receipt_count,
        visits.most_instalments,
        prices.discount_share,
        prices.promotion_share,
        prices.price_level,
        cast(coalesce(prices.returned_amount_reporting, 0) as decimal(18, 4))
            as returned_amount_reporting,
        prices.return_share,
        cast(coalesce(tenders.tender_type_count, 0) as integer) as tender_type_count,
        tenders.favourite_tender_type,
        tenders.cash_share,
        tiers.previous_loyalty_tier,
        tiers.loyalty_tier_since_date,
        cast(coalesce(tiers.loyalty_tier_move_count, 0) as integer) as loyalty_tier_move_count,
        households.household_key,
        cast(households.household_customer_count as integer) as household_customer_count,
        households.household_size,
        households.income_band,
        cast(coalesce(expiring.points_expiring_90_days, 0) as bigint) as points_expiring_90_days,
        expiring.next_points_expiry_date,
        cast(coalesce(offers.coupon_offer_count, 0) as integer) as coupon_offer_count,
        cast(coalesce(offers.coupon_redemption_count, 0) as integer) as coupon_redemption_count,
        offers.last_coupon_date,
        cast(coalesce(sessions.web_dwell_seconds, 0) as double) as web_dwell_seconds,
        cast(coalesce(sessions.web_product_view_count, 0) as bigint) as web_product_view_count,
        cast(coalesce(sessions.web_order_count, 0) as bigint) as web_order_count,
        cast(coalesce(sessions.abandoned_basket_count, 0) as integer) as abandoned_basket_count,
        sessions.last_abandoned_basket_date,
        cast(coalesce(voices.survey_answer_count, 0) as integer) as survey_answer_count,
        voices.mean_survey_share,
        voices.last_survey_date,
        cast(coalesce(voices.service_case_count, 0) as integer) as service_case_count,
        cast(coalesce(voices.open_service_case_count, 0) as integer) as open_service_case_count,
        cast(coalesce(voices.complaint_count, 0) as integer) as complaint_count,
        voices.mean_resolution_hours,
        voices.last_service_case_date,
        coalesce(
            households.customer_durable_key,
            offers.customer_durable_key,
            voices.customer_durable_key
        ) is not null as has_said_anything
    from customers
    left join {{ ref('int_customer__visits_summarised') }} as visits
        on customers.customer_durable_key = visits.customer_durable_key
    left join {{ ref('int_customer__prices_summarised') }} as prices
        on customers.customer_durable_key = prices.customer_durable_key
    left join {{ ref('int_customer__tenders_summarised') }} as tenders
        on customers.customer_durable_key = tenders.customer_durable_key
    left join {{ ref('int_customer__tiers_moved') }} as tiers
        on customers.customer_durable_key = tiers.customer_durable_key
    left join {{ ref('int_customer__households_resolved') }} as households
        on customers.customer_durable_key = households.customer_durable_key
    left join {{ ref('int_customer__points_expiring') }} as expiring
        on customers.customer_durable_key = expiring.customer_durable_key
    left join {{ ref('int_customer__offers_summarised') }} as offers
        on customers.customer_durable_key = offers.customer_durable_key
    left join {{ ref('int_customer__sessions_summarised') }} as sessions
        on customers.customer_durable_key = sessions.customer_durable_key
    left join {{ ref('int_customer__voices_summarised') }} as voices
        on customers.customer_durable_key = voices.customer_durable_key
)

select * from joined
