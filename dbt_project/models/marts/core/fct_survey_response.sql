-- Grain: one row per answer to one question of a survey
{%- set identifier_columns = {
    'member': 'member_number_token', 'email': 'email_token', 'phone': 'phone_token'
} %}

with

scaled as (
    select
        answers.record_key,
        answers.sender,
        answers.member_number_token,
        answers.email_token,
        answers.phone_token,
        answers.answered_at,
        {{ member_key('answers.store_code', 'stores.store_key') }} as store_key,
        {{ member_key('answers.store_code', 'stores.store_durable_key') }} as store_durable_key,
        -- An answer about no shop in particular keeps its UTC date.
        {{ local_time('answers.answered_at', "coalesce(stores.time_zone, 'UTC')") }}
            as answered_at_local,
        coalesce(stores.cut_off_hour, 0) as cut_off_hour,
        -- The usual scales hold where none is stated: 0 to 10 for recommendation, else 1 to 5.
        coalesce(answers.score_minimum, case when answers.question_type = 'nps' then 0 else 1 end)
            as score_minimum,
        coalesce(answers.score_maximum, case when answers.question_type = 'nps' then 10 else 5 end)
            as score_maximum
    from {{ ref('stg_survey_response__answers') }} as answers
    left join {{ ref('dim_store') }} as stores
        on
            answers.sender = stores.sender
            and answers.store_code = stores.store_code
            and answers.answered_at >= stores.valid_from_at
            and answers.answered_at < stores.valid_to_at
),

identified as (
    select
        scaled.record_key,
        {{ business_date('scaled.answered_at_local', 'scaled.cut_off_hour') }} as business_date,
        {{ first_known_person('scaled', identifier_columns) }} as person_key
    from scaled
    {{- person_joins('scaled', identifier_columns) }}
),

judged as (
    select
        answers.record_key as survey_response_key,
        answers.sender,
        answers.response_id,
        answers.question_code,
        answers.survey_code,
        answers.question_type,
        answers.channel_code,
        answers.language_code,
        identified.business_date,
        {{ date_key('identified.business_date') }} as date_key,
        {{ time_of_day_key('scaled.answered_at_local') }} as time_of_day_key,
        answers.invited_at,
        answers.answered_at,
        {{ hours_between('answers.invited_at', 'answers.answered_at') }}
            as invited_to_answered_hours,
        scaled.store_key,
        scaled.store_durable_key,
        coalesce(customers.customer_key, -1) as customer_key,
        coalesce(customers.customer_durable_key, -1) as customer_durable_key,
        {{ member_key('answers.product_code', 'products.product_key') }} as product_key,
        {{ member_key('answers.product_code', 'products.product_durable_key') }}
            as product_durable_key,
        {{ member_key('answers.operator_code_token', 'employees.employee_key') }} as employee_key,
        {{ member_key('answers.operator_code_token', 'employees.employee_durable_key') }}
            as employee_durable_key,
        {{ member_key(
            'answers.receipt_id', 'coalesce(receipts.transaction_key, orders.transaction_key)'
        ) }} as transaction_key,
        answers.score,
        case
            when scaled.score_maximum > scaled.score_minimum
                then
                    (answers.score - scaled.score_minimum)
                    / (scaled.score_maximum - scaled.score_minimum)
        end as score_share,
        case
            when answers.question_type != 'nps' or answers.score is null then null
            when answers.score >= 9 then 'promoter'
            when answers.score >= 7 then 'passive'
            else 'detractor'
        end as nps_group,
        texts.sentiment,
        cast(coalesce(length(answers.comment), 0) as integer) as comment_length,
        answers.batch_id
    from {{ ref('stg_survey_response__answers') }} as answers
    inner join scaled on answers.record_key = scaled.record_key
    inner join identified on answers.record_key = identified.record_key
    left join {{ ref('dim_customer') }} as customers
        on
            identified.person_key = customers.customer_durable_key
            and answers.answered_at >= customers.valid_from_at
            and answers.answered_at < customers.valid_to_at
    left join {{ ref('dim_product') }} as products
        on
            answers.sender = products.sender
            and answers.product_code = products.product_code
            and answers.answered_at >= products.valid_from_at
            and answers.answered_at < products.valid_to_at
    left join {{ ref('dim_employee') }} as employees
        on
            answers.sender = employees.sender
            and answers.operator_code_token = employees.employee_token
            and answers.answered_at >= employees.valid_from_at
            and answers.answered_at < employees.valid_to_at
    left join {{ ref('fct_transaction') }} as receipts
        on
            {{ record_key('pos_standard__receipt', 'answers.sender', ['answers.receipt_id']) }}
            = receipts.transaction_key
    left join {{ ref('fct_transaction') }} as orders
        on
            {{ record_key('web_order__order', 'answers.sender', ['answers.receipt_id']) }}
            = orders.transaction_key
    left join {{ ref('int_social__texts_scored') }} as texts
        on
            answers.record_key = texts.record_key
            and texts.record = 'stg_survey_response__answers'
)

select * from judged
