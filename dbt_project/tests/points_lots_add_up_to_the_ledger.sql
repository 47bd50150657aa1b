{#- What every account's debits took is what they were booked with, no lot gives more than it has,
    and what is left in the lots less what no lot covered is the balance of the ledger. -#}
{{ config(severity='error') }}

with

ledger as (
    select
        points_ledger_key,
        sender,
        customer_durable_key,
        points
    from {{ ref('fct_points_ledger') }}
    where customer_durable_key >= 0
),

taken as (
    select
        points_ledger_key,
        sum(points_used) as points_used
    from {{ ref('int_points__lots_used') }}
    group by points_ledger_key
),

given as (
    select
        lot_points_ledger_key,
        sum(points_used) as points_used
    from {{ ref('int_points__lots_used') }}
    group by lot_points_ledger_key
),

wrong as (
    select ledger.points_ledger_key
    from ledger
    left join taken on ledger.points_ledger_key = taken.points_ledger_key
    where ledger.points < 0 and -ledger.points != coalesce(taken.points_used, 0)

    union all

    select ledger.points_ledger_key
    from ledger
    inner join given on ledger.points_ledger_key = given.lot_points_ledger_key
    where given.points_used > ledger.points
)

select * from wrong
