-- Grain: one row per customer and month from the first purchase on

with

months as (
    select
        customer_durable_key,
        month_end_date,
        month_receipt_count,
        month_net_amount_reporting,
        last_purchase_date,
        recency_days,
        receipt_count,
        net_amount_reporting,
        recency_score,
        frequency_score,
        value_score
    from {{ ref('int_customer__months_scored') }}
),

customers as (
    select
        customer_key,
        customer_durable_key,
        tier,
        has_marketing_consent,
        has_profiling_consent,
        has_sharing_consent,
        has_sensitive_consent,
        cast(valid_from_at as date) as valid_from_date,
        cast(valid_to_at as date) as valid_to_date
    from {{ ref('dim_customer') }}
),

snapshots as (
    select
        {{ surrogate_key([
            "'customer_snapshot'", 'months.customer_durable_key', 'months.month_end_date'
        ]) }} as customer_snapshot_key,
        months.month_end_date as business_date,
        {{ date_key('months.month_end_date') }} as date_key,
        customers.customer_key,
        months.customer_durable_key,
        customers.tier,
        cast(months.month_receipt_count as integer) as month_receipt_count,
        cast(months.month_net_amount_reporting as decimal(18, 4)) as month_net_amount_reporting,
        months.last_purchase_date,
        cast(months.recency_days as integer) as recency_days,
        cast(months.receipt_count as integer) as receipt_count,
        cast(months.net_amount_reporting as decimal(18, 4)) as net_amount_reporting,
        months.recency_score,
        months.frequency_score,
        months.value_score,
        customers.has_marketing_consent,
        customers.has_profiling_consent,
        customers.has_sharing_consent,
        customers.has_sensitive_consent,
        -- Filled by what is learnt from the data; nothing is invented here.
        cast(null as decimal(18, 4)) as lifetime_value_amount_reporting,
        cast(null as double) as churn_probability,
        cast(null as varchar) as segment
    from months
    -- The version that held when the month was over, in UTC.
    inner join customers
        on
            months.customer_durable_key = customers.customer_durable_key
            and months.month_end_date >= customers.valid_from_date
            and months.month_end_date < customers.valid_to_date
)

select * from snapshots
