with

sessions as (
    select
        sessions.record_key as till_session_key,
        sessions.sender,
        sessions.session_id,
        sessions.store_code,
        sessions.terminal_code,
        {{ surrogate_key([
            "'terminal'", 'sessions.sender', 'sessions.store_code', 'sessions.terminal_code'
        ]) }} as terminal_durable_key,
        sessions.operator_code_token,
        sessions.opened_at,
        sessions.closed_at,
        coalesce(sessions.float_amount, 0) as float_amount,
        coalesce(sessions.drop_amount, 0) as drop_amount,
        sessions.counted_amount,
        sessions.expected_amount,
        sessions.currency_code,
        sessions.reason_code,
        sessions.batch_id
    from {{ ref('stg_pos_standard__sessions') }} as sessions
),

-- Cash of tills that report sessions; notes of another currency lie in the drawer uncounted.
cash as (
    select
        tenders.terminal_durable_key,
        tenders.sold_at,
        tenders.currency_code,
        tenders.amount
    from {{ ref('fct_tender') }} as tenders
    inner join {{ ref('dim_tender_type') }} as tender_types
        on tenders.tender_type_key = tender_types.tender_type_key
    where
        tender_types.family = 'cash'
        and tenders.is_sale
        and tenders.terminal_durable_key in (
            select sessions.terminal_durable_key from sessions
        )
),

moments as (
    select
        terminal_durable_key,
        opened_at as moment,
        0 as is_cash,
        till_session_key,
        currency_code,
        cast(0 as decimal(18, 4)) as amount
    from sessions

    union all

    select
        terminal_durable_key,
        sold_at as moment,
        1 as is_cash,
        cast(null as bigint) as till_session_key,
        currency_code,
        amount
    from cash
),

-- Each payment belongs to the session that was opened last on its till: one sort, no range join.
followed as (
    select
        {{ last_stated('till_session_key', 'till') }} as till_session_key,
        is_cash,
        moment,
        currency_code,
        amount
    from moments
    window till as (
        partition by terminal_durable_key
        order by moment, is_cash, till_session_key
        rows between unbounded preceding and current row
    )
),

cash_totals as (
    select
        followed.till_session_key,
        sum(followed.amount) as cash_amount,
        count(*) as cash_tender_count
    from followed
    inner join sessions on followed.till_session_key = sessions.till_session_key
    where
        followed.is_cash = 1
        and followed.currency_code = sessions.currency_code
        and (sessions.closed_at is null or followed.moment < sessions.closed_at)
    group by followed.till_session_key
),

reckoned as (
    select
        sessions.till_session_key,
        sessions.sender,
        sessions.session_id,
        sessions.store_code,
        sessions.terminal_code,
        sessions.operator_code_token,
        sessions.opened_at,
        sessions.closed_at,
        sessions.float_amount,
        cast(coalesce(cash_totals.cash_amount, 0) as decimal(18, 4)) as cash_tender_amount,
        cast(coalesce(cash_totals.cash_tender_count, 0) as integer) as cash_tender_count,
        sessions.drop_amount,
        cast(
            sessions.float_amount + coalesce(cash_totals.cash_amount, 0) - sessions.drop_amount
            as decimal(18, 4)
        ) as reckoned_amount,
        sessions.expected_amount,
        sessions.counted_amount,
        sessions.currency_code,
        sessions.reason_code,
        sessions.batch_id
    from sessions
    left join cash_totals on sessions.till_session_key = cash_totals.till_session_key
)

select * from reckoned
