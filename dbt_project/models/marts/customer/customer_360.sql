-- Grain: one row per customer
{%- set last_contact -%}
greatest(purchases.last_receipt_at, web_visits.last_web_event_at, posts.last_posted_at)
{%- endset %}
{%- set profile = [
    'first_store_date', 'last_store_date', 'first_web_date', 'last_web_date', 'first_app_date',
    'last_app_date', 'channel_count', 'favourite_hour', 'favourite_weekday',
    'instalment_receipt_count', 'most_instalments', 'discount_share', 'promotion_share',
    'price_level', 'returned_amount_reporting', 'return_share', 'tender_type_count',
    'favourite_tender_type', 'cash_share', 'previous_loyalty_tier', 'loyalty_tier_since_date',
    'loyalty_tier_move_count', 'household_key', 'household_customer_count', 'household_size',
    'income_band', 'points_expiring_90_days', 'next_points_expiry_date', 'coupon_offer_count',
    'coupon_redemption_count', 'last_coupon_date', 'web_dwell_seconds',
    'web_product_view_count', 'web_order_count', 'abandoned_basket_count',
    'last_abandoned_basket_date', 'survey_answer_count', 'mean_survey_share',
    'last_survey_date', 'service_case_count', 'open_service_case_count', 'complaint_count',
    'mean_resolution_hours', 'last_service_case_date',
] %}

with

described as (
    select
        customers.customer_durable_key,
        customers.customer_key,
        coalesce(customers.banner, purchases.favourite_banner) as banner,
        customers.is_inferred,
        customers.member_since_date,
        customers.birth_decade,
        customers.age_band,
        customers.gender,
        customers.country_code,
        customers.city,
        customers.home_store_durable_key,
        home_stores.name as home_store_name,
        purchases.favourite_store_durable_key,
        purchases.favourite_store_name,
        purchases.favourite_channel_code,
        purchases.first_purchase_date,
        purchases.last_purchase_date,
        scores.as_of_date,
        scores.recency_days,
        cast(coalesce(purchases.receipt_count, 0) as integer) as receipt_count,
        cast(coalesce(purchases.return_count, 0) as integer) as return_count,
        cast(coalesce(purchases.net_amount_reporting, 0) as decimal(18, 4))
            as net_amount_reporting,
        case
            when purchases.receipt_count > 0
                then
                    cast(
                        purchases.net_amount_reporting / purchases.receipt_count
                        as decimal(18, 4)
                    )
        end as average_basket_amount_reporting,
        scores.recency_score,
        scores.frequency_score,
        scores.value_score,
        scores.value_tier,
        tastes.favourite_department,
        tastes.favourite_category,
        tastes.favourite_brand,
        customers.tier as loyalty_tier,
        cast(coalesce(balances.points_balance, 0) as bigint) as points_balance,
        {{ last_contact }} as last_contact_at,
        case {{ last_contact }}
            when purchases.last_receipt_at then 'purchase'
            when web_visits.last_web_event_at then 'web_visit'
            when posts.last_posted_at then 'post'
        end as last_contact_type,
        cast(coalesce(posts.post_count, 0) as integer) as post_count,
        posts.mean_sentiment,
        cast(coalesce(web_visits.web_visit_count, 0) as integer) as web_visit_count,
        web_visits.last_web_visit_date,
        {{ consented('marketing', 'customers.customer_durable_key') }}
            as has_marketing_consent,
        {{ consented('profiling', 'customers.customer_durable_key') }}
            as has_profiling_consent,
        {{ consented('sharing', 'customers.customer_durable_key') }}
            as has_sharing_consent,
        {{ consented('sensitive', 'customers.customer_durable_key') }}
            as has_sensitive_consent,
        {%- for column in profile %}
        profiles.{{ column }},
        {%- endfor %}
        -- Filled by what is learnt from the data; nothing is invented here.
        cast(null as double) as churn_probability,
        cast(null as decimal(18, 4)) as predicted_value_amount_reporting,
        cast(null as varchar) as segment
    from {{ ref('dim_customer') }} as customers
    left join {{ ref('dim_store') }} as home_stores
        on
            customers.home_store_durable_key = home_stores.store_durable_key
            and home_stores.is_current
    inner join {{ ref('int_customer__profiles_joined') }} as profiles
        on customers.customer_durable_key = profiles.customer_durable_key
    left join {{ ref('int_sales__customers_summarised') }} as purchases
        on customers.customer_durable_key = purchases.customer_durable_key
    left join {{ ref('int_sales__customers_scored') }} as scores
        on customers.customer_durable_key = scores.customer_durable_key
    left join {{ ref('int_sales__tastes_ranked') }} as tastes
        on customers.customer_durable_key = tastes.customer_durable_key
    left join {{ ref('int_points__balances_summed') }} as balances
        on customers.customer_durable_key = balances.customer_durable_key
    left join {{ ref('int_web__customers_summarised') }} as web_visits
        on customers.customer_durable_key = web_visits.customer_durable_key
    left join {{ ref('int_social__customers_summarised') }} as posts
        on customers.customer_durable_key = posts.customer_durable_key
    where
        customers.is_current
        and customers.customer_durable_key >= 0
        -- A browser that never joined, bought, wrote or answered is a visitor, not yet a customer;
        -- its visits are in fct_web_event.
        and (
            not customers.is_inferred
            or purchases.customer_durable_key is not null
            or balances.customer_durable_key is not null
            or posts.customer_durable_key is not null
            or profiles.has_said_anything
        )
)

select * from described
