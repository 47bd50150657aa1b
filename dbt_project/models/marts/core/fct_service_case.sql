-- Grain: one row per service case
{%- set identifier_columns = {
    'member': 'member_number_token', 'email': 'email_token', 'phone': 'phone_token'
} %}

with

located as (
    select
        cases.record_key,
        cases.sender,
        cases.member_number_token,
        cases.email_token,
        cases.phone_token,
        cases.opened_at,
        {{ member_key('cases.store_code', 'stores.store_key') }} as store_key,
        {{ member_key('cases.store_code', 'stores.store_durable_key') }} as store_durable_key,
        -- A case about no shop in particular keeps its UTC date.
        {{ local_time('cases.opened_at', "coalesce(stores.time_zone, 'UTC')") }}
            as opened_at_local,
        coalesce(stores.cut_off_hour, 0) as cut_off_hour
    from {{ ref('stg_service_case__cases') }} as cases
    left join {{ ref('dim_store') }} as stores
        on
            cases.sender = stores.sender
            and cases.store_code = stores.store_code
            and cases.opened_at >= stores.valid_from_at
            and cases.opened_at < stores.valid_to_at
),

identified as (
    select
        located.record_key,
        {{ business_date('located.opened_at_local', 'located.cut_off_hour') }} as business_date,
        {{ first_known_person('located', identifier_columns) }} as person_key
    from located
    {{- person_joins('located', identifier_columns) }}
),

service_cases as (
    select
        cases.record_key as service_case_key,
        cases.sender,
        cases.case_id,
        cases.channel_code,
        cases.topic_code,
        cases.subtopic_code,
        cases.priority,
        cases.status,
        cases.outcome_code,
        cases.team_code,
        cases.language_code,
        identified.business_date,
        {{ date_key('identified.business_date') }} as date_key,
        {{ time_of_day_key('located.opened_at_local') }} as time_of_day_key,
        cases.opened_at,
        cases.first_answered_at,
        coalesce(cases.resolved_at, cases.closed_at) as resolved_at,
        {{ hours_between('cases.opened_at', 'cases.first_answered_at') }}
            as opened_to_answered_hours,
        -- A case that was closed without a word about a solution counts from its close.
        {{ hours_between('cases.opened_at', 'coalesce(cases.resolved_at, cases.closed_at)') }}
            as opened_to_resolved_hours,
        located.store_key,
        located.store_durable_key,
        coalesce(customers.customer_key, -1) as customer_key,
        coalesce(customers.customer_durable_key, -1) as customer_durable_key,
        {{ member_key('cases.product_code', 'products.product_key') }} as product_key,
        {{ member_key('cases.product_code', 'products.product_durable_key') }}
            as product_durable_key,
        {{ member_key('cases.agent_code_token', 'employees.employee_key') }} as employee_key,
        {{ member_key('cases.agent_code_token', 'employees.employee_durable_key') }}
            as employee_durable_key,
        {{ member_key(
            'cases.receipt_id', 'coalesce(receipts.transaction_key, orders.transaction_key)'
        ) }} as transaction_key,
        coalesce(cases.status in ('resolved', 'closed'), false) as is_resolved,
        coalesce(cases.is_complaint, false) as is_complaint,
        coalesce(cases.is_escalated, false) as is_escalated,
        cast(coalesce(cases.reopened_count, 0) as integer) as reopened_count,
        cast(cases.contact_count as integer) as contact_count,
        cases.satisfaction_score,
        texts.sentiment,
        coalesce(cases.compensation_amount, 0) as compensation_amount,
        case
            when coalesce(cases.compensation_amount, 0) = 0 then 0
            when cases.currency_code = {{ reporting_currency() }} then cases.compensation_amount
            else {{ reporting_amount('cases.compensation_amount', 'rates.exchange_rate') }}
        end as compensation_amount_reporting,
        cases.currency_code,
        cases.batch_id
    from {{ ref('stg_service_case__cases') }} as cases
    inner join located on cases.record_key = located.record_key
    inner join identified on cases.record_key = identified.record_key
    left join {{ ref('dim_customer') }} as customers
        on
            identified.person_key = customers.customer_durable_key
            and cases.opened_at >= customers.valid_from_at
            and cases.opened_at < customers.valid_to_at
    left join {{ ref('dim_product') }} as products
        on
            cases.sender = products.sender
            and cases.product_code = products.product_code
            and cases.opened_at >= products.valid_from_at
            and cases.opened_at < products.valid_to_at
    left join {{ ref('dim_employee') }} as employees
        on
            cases.sender = employees.sender
            and cases.agent_code_token = employees.employee_token
            and cases.opened_at >= employees.valid_from_at
            and cases.opened_at < employees.valid_to_at
    left join {{ ref('fct_transaction') }} as receipts
        on
            {{ record_key('pos_standard__receipt', 'cases.sender', ['cases.receipt_id']) }}
            = receipts.transaction_key
    left join {{ ref('fct_transaction') }} as orders
        on
            {{ record_key('web_order__order', 'cases.sender', ['cases.receipt_id']) }}
            = orders.transaction_key
    left join {{ ref('int_social__texts_scored') }} as texts
        on cases.record_key = texts.record_key and texts.record = 'stg_service_case__cases'
    left join {{ ref('int_rates__daily') }} as rates
        on
            cases.currency_code = rates.currency_code
            and identified.business_date = rates.business_date
)

select * from service_cases
