-- Grain: one row per store, survey and month of answers

with

counted as (
    select
        {{ month_start('business_date') }} as month_start_date,
        store_durable_key,
        coalesce(survey_code, 'unknown') as survey_code,
        count(distinct sender || chr(31) || response_id) as response_count,
        count(nps_group) as nps_answer_count,
        count(case when nps_group = 'promoter' then 1 end) as promoter_count,
        count(case when nps_group = 'detractor' then 1 end) as detractor_count,
        count(case when question_type = 'csat' then score_share end) as csat_answer_count,
        -- Four or five of five stars.
        count(case when question_type = 'csat' and score_share >= 0.75 then 1 end)
            as satisfied_count,
        avg(case when question_type = 'csat' then score_share end) as mean_csat_score_share,
        avg(sentiment) as mean_sentiment
    from {{ ref('fct_survey_response') }}
    group by
        {{ month_start('business_date') }}, store_durable_key, coalesce(survey_code, 'unknown')
),

shared as (
    select
        month_start_date,
        {{ date_key('month_start_date') }} as month_start_date_key,
        store_durable_key,
        survey_code,
        response_count,
        nps_answer_count,
        promoter_count,
        detractor_count,
        case
            when nps_answer_count > 0
                then 100 * cast(promoter_count - detractor_count as double) / nps_answer_count
        end as net_promoter_score,
        csat_answer_count,
        satisfied_count,
        case
            when csat_answer_count > 0
                then cast(satisfied_count as double) / csat_answer_count
        end as satisfied_share,
        mean_csat_score_share,
        mean_sentiment
    from counted
)

select * from shared
