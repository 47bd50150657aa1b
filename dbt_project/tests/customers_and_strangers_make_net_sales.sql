{#- What the customers of customer_360 bought and what nobody is known to have bought is everything
    that was sold, and their points are the points of the ledger. -#}
{{ config(severity='error') }}

with

customers as (
    select
        sum(net_amount_reporting) as net_amount_reporting,
        sum(points_balance) as points
    from {{ ref('customer_360') }}
),

strangers as (
    select coalesce(sum(net_amount_reporting), 0) as net_amount_reporting
    from {{ ref('fct_transaction') }}
    where is_sale and customer_durable_key < 0
),

sales as (
    select sum(net_amount_reporting) as net_amount_reporting
    from {{ ref('fct_transaction') }}
    where is_sale
),

ledger as (
    select sum(points) as points
    from {{ ref('fct_points_ledger') }}
    where customer_durable_key >= 0
),

differing as (
    select
        customers.net_amount_reporting as customer_amount,
        strangers.net_amount_reporting as stranger_amount,
        sales.net_amount_reporting as sales_amount,
        customers.points as customer_points,
        ledger.points as ledger_points
    from customers
    cross join strangers
    cross join sales
    cross join ledger
    where
        coalesce(customers.net_amount_reporting, 0) + strangers.net_amount_reporting
        != coalesce(sales.net_amount_reporting, 0)
        or coalesce(customers.points, 0) != coalesce(ledger.points, 0)
)

select * from differing
