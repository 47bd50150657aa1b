{#- Float and cash payments less drops, and over or short, are what was counted; the cash is counted
    again here, payment by payment. And no two sessions of one till run at the same time. -#}
{{ config(severity='error') }}

with

sessions as (
    select
        till_session_key,
        terminal_durable_key,
        opened_at,
        coalesce(closed_at, {{ end_of_time() }}) as closed_at,
        lead(opened_at) over (partition by terminal_durable_key order by opened_at)
            as next_opened_at,
        float_amount,
        drop_amount,
        counted_amount,
        over_short_amount,
        currency_code
    from {{ ref('fct_till_session') }}
),

cash as (
    select
        tenders.terminal_durable_key,
        tenders.sold_at,
        tenders.currency_code,
        tenders.amount
    from {{ ref('fct_tender') }} as tenders
    inner join {{ ref('dim_tender_type') }} as tender_types
        on tenders.tender_type_key = tender_types.tender_type_key
    where tender_types.tender_type_code = 'cash' and tenders.is_sale
),

cash_of_sessions as (
    select
        sessions.till_session_key,
        coalesce(sum(cash.amount), 0) as amount
    from sessions
    left join cash
        on
            sessions.terminal_durable_key = cash.terminal_durable_key
            and sessions.currency_code = cash.currency_code
            and sessions.opened_at <= cash.sold_at
            and sessions.closed_at > cash.sold_at
    group by sessions.till_session_key
),

wrong as (
    select
        sessions.till_session_key,
        sessions.opened_at,
        sessions.next_opened_at < sessions.closed_at as is_overlapping
    from sessions
    inner join cash_of_sessions
        on sessions.till_session_key = cash_of_sessions.till_session_key
    where
        sessions.next_opened_at < sessions.closed_at
        or sessions.float_amount + cash_of_sessions.amount - sessions.drop_amount
        + sessions.over_short_amount != sessions.counted_amount
)

select * from wrong
