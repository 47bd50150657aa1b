{{ config(materialized='table') }}

with

ledger as (
    select
        points_ledger_key,
        sender,
        customer_durable_key,
        points,
        booked_at,
        expires_on
    from {{ ref('fct_points_ledger') }}
    where customer_durable_key >= 0
),

reversed as (
    select
        points_ledger_key,
        lot_points_ledger_key,
        points_used
    from {{ ref('int_points__lots_reversed') }}
),

-- What is left after refunds have taken back what they earned.
rest as (
    select
        ledger.points_ledger_key,
        ledger.sender,
        ledger.customer_durable_key,
        ledger.booked_at,
        ledger.expires_on,
        ledger.points > 0 as is_credit,
        abs(ledger.points)
        - coalesce(as_lot.points_used, 0) - coalesce(as_debit.points_used, 0) as points
    from ledger
    left join (
        select
            reversed.lot_points_ledger_key,
            sum(reversed.points_used) as points_used
        from reversed
        group by reversed.lot_points_ledger_key
    ) as as_lot on ledger.points_ledger_key = as_lot.lot_points_ledger_key
    left join reversed as as_debit on ledger.points_ledger_key = as_debit.points_ledger_key
    where ledger.points != 0
),

-- Laid end to end, lots by their expiry and earn time, debits by the time they were booked, equal
-- stretches of an account's points meet.
stretched as (
    select
        points_ledger_key,
        sender,
        customer_durable_key,
        is_credit,
        points,
        sum(points) over (
            partition by sender, customer_durable_key, is_credit
            order by
                case when is_credit then coalesce(expires_on, cast('9999-12-31' as date)) end,
                booked_at,
                points_ledger_key
            rows between unbounded preceding and current row
        ) as points_to
    from rest
    where points > 0
),

met as (
    select
        debits.points_ledger_key,
        lots.points_ledger_key as lot_points_ledger_key,
        least(debits.points_to, lots.points_to)
        - greatest(debits.points_to - debits.points, lots.points_to - lots.points) as points_used
    from stretched as debits
    inner join stretched as lots
        on
            debits.sender = lots.sender
            and debits.customer_durable_key = lots.customer_durable_key
            and lots.points_to > debits.points_to - debits.points
            and lots.points_to - lots.points < debits.points_to
    where not debits.is_credit and lots.is_credit
),

-- More spent than was ever earned: no lot covers it.
uncovered as (
    select
        debits.points_ledger_key,
        -1 as lot_points_ledger_key,
        debits.points - coalesce(sum(met.points_used), 0) as points_used
    from stretched as debits
    left join met on debits.points_ledger_key = met.points_ledger_key
    where not debits.is_credit
    group by debits.points_ledger_key, debits.points
    having debits.points > coalesce(sum(met.points_used), 0)
),

used as (
    select
        points_ledger_key,
        lot_points_ledger_key,
        cast(points_used as bigint) as points_used,
        true as is_reversal
    from reversed

    union all

    select
        points_ledger_key,
        lot_points_ledger_key,
        cast(points_used as bigint) as points_used,
        false as is_reversal
    from met

    union all

    select
        points_ledger_key,
        lot_points_ledger_key,
        cast(points_used as bigint) as points_used,
        false as is_reversal
    from uncovered
)

select * from used
