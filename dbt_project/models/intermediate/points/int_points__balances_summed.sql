with

entries as (
    select
        customer_durable_key,
        points
    from {{ ref('fct_points_ledger') }}
    where customer_durable_key >= 0
),

-- Entries are signed: earned points are positive, used and expired ones negative.
summed as (
    select
        customer_durable_key,
        sum(points) as points_balance
    from entries
    group by customer_durable_key
)

select * from summed
