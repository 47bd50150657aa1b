-- Grain: one row per store, topic and month in which cases were opened

with

summed as (
    select
        {{ month_start('business_date') }} as month_start_date,
        store_durable_key,
        coalesce(topic_code, 'unknown') as topic_code,
        count(*) as case_count,
        count(case when is_complaint then 1 end) as complaint_count,
        count(case when is_escalated then 1 end) as escalated_count,
        count(case when is_resolved then 1 end) as resolved_count,
        avg(opened_to_answered_hours) as mean_opened_to_answered_hours,
        avg(opened_to_resolved_hours) as mean_opened_to_resolved_hours,
        percentile_cont(0.9) within group (order by opened_to_resolved_hours)
            as p90_opened_to_resolved_hours,
        avg(satisfaction_score) as mean_satisfaction_score,
        cast(sum(compensation_amount_reporting) as decimal(18, 4))
            as compensation_amount_reporting
    from {{ ref('fct_service_case') }}
    group by
        {{ month_start('business_date') }}, store_durable_key, coalesce(topic_code, 'unknown')
),

dated as (
    select
        month_start_date,
        {{ date_key('month_start_date') }} as month_start_date_key,
        store_durable_key,
        topic_code,
        case_count,
        complaint_count,
        escalated_count,
        resolved_count,
        cast(resolved_count as double) / case_count as resolved_share,
        mean_opened_to_answered_hours,
        mean_opened_to_resolved_hours,
        p90_opened_to_resolved_hours,
        mean_satisfaction_score,
        compensation_amount_reporting
    from summed
)

select * from dated
