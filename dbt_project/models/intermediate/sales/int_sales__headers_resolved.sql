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

{%- set identifier_columns = {
    'member': 'member_number_token',
    'email': 'email_token',
    'phone': 'phone_token',
    'card': 'cards.card_number_token',
    'visitor': 'visitor_id_token',
} %}

with

cards as (
    select
        tenders.template,
        tenders.sender,
        tenders.receipt_id,
        min_by(tenders.card_number_token, tenders.tender_number) as card_number_token
    from {{ ref('int_tender__tenders_unioned') }} as tenders
    where tenders.card_number_token is not null
    group by tenders.template, tenders.sender, tenders.receipt_id
),

identified as (
    select
        headers.transaction_key,
        headers.template,
        headers.sender,
        headers.receipt_id,
        headers.transaction_type,
        headers.channel_code,
        headers.store_code,
        headers.terminal_code,
        headers.operator_code_token,
        headers.sold_at,
        headers.sold_at_local,
        headers.business_date,
        headers.is_local_time_ambiguous,
        headers.store_key,
        headers.store_durable_key,
        headers.currency_code,
        headers.declared_line_count,
        headers.declared_total_amount,
        headers.rounding_amount,
        headers.guest_count,
        headers.duration_seconds,
        headers.reason_code,
        headers.tip_amount,
        headers.batch_id,
        {{ first_known_person('headers', identifier_columns) }} as person_key
    from {{ ref('int_sales__headers_dated') }} as headers
    left join cards on {{ receipt_reference('headers') }} = {{ receipt_reference('cards') }}
    {{- person_joins('headers', identifier_columns) }}
    where
        {{ is_of_touched_day('headers.business_date') }}
        and {{ is_near_touched_day('headers.sold_at') }}
),

resolved as (
    select
        identified.transaction_key,
        identified.template,
        identified.sender,
        identified.receipt_id,
        identified.transaction_type,
        {{ is_sale_transaction('identified.transaction_type') }} as is_sale,
        identified.business_date,
        {{ date_key('identified.business_date') }} as date_key,
        {{ time_of_day_key('identified.sold_at_local') }} as time_of_day_key,
        identified.sold_at,
        identified.is_local_time_ambiguous,
        identified.store_key,
        identified.store_durable_key,
        {{ member_key('identified.terminal_code', 'terminals.terminal_key') }} as terminal_key,
        {{ member_key('identified.terminal_code', 'terminals.terminal_durable_key') }}
            as terminal_durable_key,
        {{ member_key('identified.operator_code_token', 'employees.employee_key') }}
            as employee_key,
        {{ member_key('identified.operator_code_token', 'employees.employee_durable_key') }}
            as employee_durable_key,
        {{ member_key('identified.reason_code', 'reasons.reason_key') }} as reason_key,
        coalesce(channels.channel_key, -3) as channel_key,
        coalesce(customers.customer_key, -1) as customer_key,
        coalesce(customers.customer_durable_key, -1) as customer_durable_key,
        identified.terminal_code,
        identified.declared_line_count,
        identified.declared_total_amount,
        identified.rounding_amount,
        identified.guest_count,
        identified.duration_seconds,
        identified.tip_amount,
        identified.currency_code,
        cast(
            case
                when identified.currency_code = {{ reporting_currency() }} then 1
                else rates.exchange_rate
            end as decimal(20, 12)
        ) as exchange_rate,
        identified.batch_id
    from identified
    left join {{ ref('dim_customer') }} as customers
        on
            identified.person_key = customers.customer_durable_key
            and identified.sold_at >= customers.valid_from_at
            and identified.sold_at < customers.valid_to_at
    left join {{ ref('dim_channel') }} as channels
        on identified.channel_code = channels.channel_code
    left join {{ ref('dim_terminal') }} as terminals
        on
            identified.sender = terminals.sender
            and identified.store_code = terminals.store_code
            and identified.terminal_code = terminals.terminal_code
            and identified.sold_at >= terminals.valid_from_at
            and identified.sold_at < terminals.valid_to_at
    left join {{ ref('dim_employee') }} as employees
        on
            identified.sender = employees.sender
            and identified.operator_code_token = employees.employee_token
            and identified.sold_at >= employees.valid_from_at
            and identified.sold_at < employees.valid_to_at
    left join {{ ref('dim_reason') }} as reasons
        on identified.sender = reasons.sender and identified.reason_code = reasons.reason_code
    left join {{ ref('int_rates__daily') }} as rates
        on
            identified.currency_code = rates.currency_code
            and identified.business_date = rates.business_date
    order by identified.business_date
)

select * from resolved
