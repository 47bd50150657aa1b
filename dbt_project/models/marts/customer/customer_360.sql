-- Grain: one row per customer

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
        greatest(
            purchases.last_receipt_at, web_visits.last_web_event_at, posts.last_posted_at
        ) as last_contact_at,
        purchases.last_receipt_at,
        web_visits.last_web_event_at,
        posts.last_posted_at,
        cast(coalesce(posts.post_count, 0) as integer) as post_count,
        posts.mean_sentiment,
        cast(coalesce(web_visits.web_visit_count, 0) as integer) as web_visit_count,
        web_visits.last_web_visit_date,
        customers.has_marketing_consent,
        customers.has_profiling_consent,
        customers.has_sharing_consent,
        customers.has_sensitive_consent
    from {{ ref('dim_customer') }} as customers
    left join {{ ref('dim_store') }} as home_stores
        on
            customers.home_store_durable_key = home_stores.store_durable_key
            and home_stores.is_current
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
        -- A browser that never joined, bought or wrote is a visitor, not yet a customer; its visits
        -- are in fct_web_event.
        and (
            not customers.is_inferred
            or purchases.customer_durable_key is not null
            or balances.customer_durable_key is not null
            or posts.customer_durable_key is not null
        )
),

contacted as (
    select
        customer_durable_key,
        customer_key,
        banner,
        is_inferred,
        member_since_date,
        birth_decade,
        age_band,
        gender,
        country_code,
        city,
        home_store_durable_key,
        home_store_name,
        favourite_store_durable_key,
        favourite_store_name,
        favourite_channel_code,
        first_purchase_date,
        last_purchase_date,
        as_of_date,
        recency_days,
        receipt_count,
        return_count,
        net_amount_reporting,
        average_basket_amount_reporting,
        recency_score,
        frequency_score,
        value_score,
        value_tier,
        favourite_department,
        favourite_category,
        favourite_brand,
        loyalty_tier,
        points_balance,
        last_contact_at,
        case last_contact_at
            when last_receipt_at then 'purchase'
            when last_web_event_at then 'web_visit'
            when last_posted_at then 'post'
        end as last_contact_type,
        mean_sentiment,
        post_count,
        web_visit_count,
        last_web_visit_date,
        has_marketing_consent,
        has_profiling_consent,
        has_sharing_consent,
        has_sensitive_consent
    from described
)

select * from contacted
