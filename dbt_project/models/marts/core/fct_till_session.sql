-- Grain: one row per till session, from the opening of the drawer to its count
{%- set at_store = 'coalesce(stores.time_zone, \'UTC\')' %}
{%- set over_short = 'dated.counted_amount - dated.reckoned_amount' %}

with

dated as (
    select
        sessions.till_session_key,
        sessions.sender,
        sessions.session_id,
        sessions.store_code,
        sessions.terminal_code,
        sessions.operator_code_token,
        sessions.opened_at,
        sessions.closed_at,
        {{ business_date(
            local_time('sessions.opened_at', at_store), 'coalesce(stores.cut_off_hour, 0)'
        ) }} as business_date,
        coalesce(stores.store_key, -1) as store_key,
        coalesce(stores.store_durable_key, -1) as store_durable_key,
        sessions.float_amount,
        sessions.cash_tender_amount,
        sessions.cash_tender_count,
        sessions.drop_amount,
        sessions.reckoned_amount,
        sessions.expected_amount,
        sessions.counted_amount,
        sessions.currency_code,
        sessions.reason_code,
        sessions.batch_id
    from {{ ref('int_session__sessions_reckoned') }} as sessions
    left join {{ ref('dim_store') }} as stores
        on
            sessions.sender = stores.sender
            and sessions.store_code = stores.store_code
            and sessions.opened_at >= stores.valid_from_at
            and sessions.opened_at < stores.valid_to_at
),

rated as (
    select
        dated.till_session_key,
        dated.sender,
        dated.session_id,
        dated.business_date,
        {{ date_key('dated.business_date') }} as date_key,
        dated.opened_at,
        dated.closed_at,
        dated.store_key,
        dated.store_durable_key,
        coalesce(terminals.terminal_key, -1) as terminal_key,
        coalesce(terminals.terminal_durable_key, -1) as terminal_durable_key,
        {{ member_key('dated.operator_code_token', 'employees.employee_key') }} as employee_key,
        {{ member_key('dated.operator_code_token', 'employees.employee_durable_key') }}
            as employee_durable_key,
        {{ member_key('dated.reason_code', 'reasons.reason_key') }} as reason_key,
        dated.float_amount,
        dated.cash_tender_amount,
        dated.cash_tender_count,
        dated.drop_amount,
        dated.reckoned_amount,
        dated.expected_amount,
        dated.counted_amount,
        cast({{ over_short }} as decimal(18, 4)) as over_short_amount,
        dated.currency_code,
        cast(
            case
                when dated.currency_code = {{ reporting_currency() }} then 1
                else rates.exchange_rate
            end as decimal(20, 12)
        ) as exchange_rate,
        dated.batch_id
    from dated
    left join {{ ref('dim_terminal') }} as terminals
        on
            dated.sender = terminals.sender
            and dated.store_code = terminals.store_code
            and dated.terminal_code = terminals.terminal_code
            and dated.opened_at >= terminals.valid_from_at
            and dated.opened_at < terminals.valid_to_at
    left join {{ ref('dim_employee') }} as employees
        on
            dated.sender = employees.sender
            and dated.operator_code_token = employees.employee_token
            and dated.opened_at >= employees.valid_from_at
            and dated.opened_at < employees.valid_to_at
    left join {{ ref('dim_reason') }} as reasons
        on dated.sender = reasons.sender and dated.reason_code = reasons.reason_code
    left join {{ ref('int_rates__daily') }} as rates
        on
            dated.currency_code = rates.currency_code
            and dated.business_date = rates.business_date
),

valued as (
    select
        till_session_key,
        sender,
        session_id,
        business_date,
        date_key,
        opened_at,
        closed_at,
        store_key,
        store_durable_key,
        terminal_key,
        terminal_durable_key,
        employee_key,
        employee_durable_key,
        reason_key,
        float_amount,
        cash_tender_amount,
        cash_tender_count,
        drop_amount,
        reckoned_amount,
        expected_amount,
        counted_amount,
        over_short_amount,
        currency_code,
        exchange_rate,
        {{ reporting_amount('counted_amount', 'exchange_rate') }} as counted_amount_reporting,
        {{ reporting_amount('over_short_amount', 'exchange_rate') }}
            as over_short_amount_reporting,
        batch_id
    from rated
)

select * from valued
