with

given as (
    select
        lot_points_ledger_key,
        sum(points_used) as points_used
    from {{ ref('int_points__lots_used') }}
    group by lot_points_ledger_key
),

left_over as (
    select
        lots.points_ledger_key,
        lots.sender,
        lots.customer_durable_key,
        lots.booked_at,
        lots.expires_on,
        lots.points,
        cast(lots.points - coalesce(given.points_used, 0) as bigint) as open_points
    from {{ ref('fct_points_ledger') }} as lots
    left join given on lots.points_ledger_key = given.lot_points_ledger_key
    where
        lots.points > 0
        and lots.customer_durable_key >= 0
        and lots.points > coalesce(given.points_used, 0)
)

select * from left_over
