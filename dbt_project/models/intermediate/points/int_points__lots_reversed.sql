with

reversals as (
    select
        linked.points_ledger_key,
        linked.lot_points_ledger_key,
        lots.points as lot_points,
        -ledger.points as points,
        ledger.booked_at
    from {{ ref('int_points__reversals_linked') }} as linked
    inner join {{ ref('fct_points_ledger') }} as ledger
        on linked.points_ledger_key = ledger.points_ledger_key
    inner join {{ ref('fct_points_ledger') }} as lots
        on
            linked.lot_points_ledger_key = lots.points_ledger_key
            and ledger.sender = lots.sender
            and ledger.customer_durable_key = lots.customer_durable_key
    where lots.points > 0
),

-- Several returns of one receipt share what it earned, in the order in which they were booked.
placed as (
    select
        points_ledger_key,
        lot_points_ledger_key,
        lot_points,
        points,
        sum(points) over (
            partition by lot_points_ledger_key
            order by booked_at, points_ledger_key
            rows between unbounded preceding and current row
        ) as points_to_date
    from reversals
),

reversed as (
    select
        points_ledger_key,
        lot_points_ledger_key,
        least(points_to_date, lot_points) - least(points_to_date - points, lot_points)
            as points_used
    from placed
    where points_to_date - points < lot_points
)

select * from reversed
