-- Grain: one row per customer and month from the first purchase on

with

snapshots as (
    select
        customer_snapshot_key,
        business_date,
        customer_durable_key,
        tier,
        month_receipt_count,
        month_net_amount_reporting,
        recency_days,
        receipt_count,
        net_amount_reporting,
        recency_score,
        frequency_score,
        value_score,
        {{ value_tier() }} as value_tier,
        has_marketing_consent,
        has_profiling_consent,
        lifetime_value_amount_reporting,
        churn_probability,
        segment
    from {{ ref('fct_customer_snapshot') }}
),

compared as (
    select
        customer_snapshot_key,
        business_date as month_end_date,
        customer_durable_key,
        tier as loyalty_tier,
        lag(tier) over by_month as previous_loyalty_tier,
        month_receipt_count,
        month_net_amount_reporting,
        recency_days,
        receipt_count,
        net_amount_reporting,
        recency_score,
        frequency_score,
        value_score,
        value_tier,
        lag(value_tier) over by_month as previous_value_tier,
        row_number() over by_month = 1 as is_new,
        month_receipt_count > 0 as is_active,
        month_receipt_count > 0 and coalesce(lag(month_receipt_count) over by_month, 1) = 0
            as is_returning,
        has_marketing_consent,
        has_profiling_consent,
        lifetime_value_amount_reporting,
        churn_probability,
        segment
    from snapshots
    window by_month as (partition by customer_durable_key order by business_date)
)

select * from compared
