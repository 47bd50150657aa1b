-- Grain: one row per operator step in a receipt
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='business_date',
        on_schema_change='fail',
        pre_hook="{{ clear_touched_days('int_sales__touched_days') }}",
    )
}}

-- depends_on: {{ ref('int_sales__touched_days') }}

with

steps as (
    select
        steps.record_key as pos_step_key,
        headers.transaction_key,
        headers.sender,
        headers.receipt_id,
        cast(steps.step_number as integer) as step_number,
        steps.step_code,
        cast(steps.line_number as integer) as line_number,
        headers.business_date,
        headers.date_key,
        headers.time_of_day_key,
        headers.sold_at,
        steps.started_at,
        headers.store_key,
        headers.store_durable_key,
        headers.terminal_key,
        headers.terminal_durable_key,
        case
            when steps.operator_code_token is null then headers.employee_key
            else coalesce(employees.employee_key, -1)
        end as employee_key,
        case
            when steps.operator_code_token is null then headers.employee_durable_key
            else coalesce(employees.employee_durable_key, -1)
        end as employee_durable_key,
        {{ member_key('steps.reason_code', 'reasons.reason_key') }} as reason_key,
        steps.duration_seconds,
        steps.has_error,
        steps.has_override,
        headers.is_sale,
        steps.batch_id
    from {{ ref('int_sales__headers_resolved') }} as headers
    inner join {{ ref('int_sales__steps_stated') }} as steps
        on {{ receipt_reference('headers') }} = {{ receipt_reference('steps') }}
    left join {{ ref('dim_employee') }} as employees
        on
            steps.sender = employees.sender
            and steps.operator_code_token = employees.employee_token
            and headers.sold_at >= employees.valid_from_at
            and headers.sold_at < employees.valid_to_at
    left join {{ ref('dim_reason') }} as reasons
        on steps.sender = reasons.sender and steps.reason_code = reasons.reason_code
    where {{ is_of_touched_day('headers.business_date') }}
    order by headers.business_date
)

select * from steps
