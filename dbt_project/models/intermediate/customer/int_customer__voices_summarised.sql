with

answers as (
    select
        customer_durable_key,
        count(*) as survey_answer_count,
        avg(score_share) as mean_survey_share,
        max(business_date) as last_survey_date
    from {{ ref('fct_survey_response') }}
    where customer_durable_key >= 0
    group by customer_durable_key
),

cases as (
    select
        customer_durable_key,
        count(*) as service_case_count,
        count(case when not is_resolved then 1 end) as open_service_case_count,
        count(case when is_complaint then 1 end) as complaint_count,
        avg(opened_to_resolved_hours) as mean_resolution_hours,
        max(business_date) as last_service_case_date
    from {{ ref('fct_service_case') }}
    where customer_durable_key >= 0
    group by customer_durable_key
),

summarised as (
    select
        coalesce(answers.customer_durable_key, cases.customer_durable_key)
            as customer_durable_key,
        coalesce(answers.survey_answer_count, 0) as survey_answer_count,
        answers.mean_survey_share,
        answers.last_survey_date,
        coalesce(cases.service_case_count, 0) as service_case_count,
        coalesce(cases.open_service_case_count, 0) as open_service_case_count,
        coalesce(cases.complaint_count, 0) as complaint_count,
        cases.mean_resolution_hours,
        cases.last_service_case_date
    from answers
    full outer join cases on answers.customer_durable_key = cases.customer_durable_key
)

select * from summarised
