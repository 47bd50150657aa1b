-- Grain: one row per member and programme with points

with

newest as (
    select
        sender,
        {{ newest_day('business_date') }} as newest_date
    from {{ ref('fct_points_ledger') }}
    group by sender
),

ledger as (
    select
        sender,
        customer_durable_key,
        sum(points) as points_balance,
        max(business_date) as last_entry_date
    from {{ ref('fct_points_ledger') }}
    where customer_durable_key >= 0
    group by sender, customer_durable_key
),

-- Whether points are about to expire shows against the newest entry, never against the clock.
lots as (
    select
        lots.sender,
        lots.customer_durable_key,
        min(lots.expires_on) as next_expiry_date,
        sum(
            case
                when lots.expires_on <= {{ days_after('newest.newest_date', 30) }}
                    then lots.open_points
                else 0
            end
        ) as expiring_30_days_points,
        min(lots.booked_at) as oldest_earned_at
    from {{ ref('int_points__lots_left') }} as lots
    inner join newest on lots.sender = newest.sender
    group by lots.sender, lots.customer_durable_key
),

balances as (
    select
        {{ surrogate_key(["'points_balances'", 'ledger.sender', 'ledger.customer_durable_key']) }}
            as points_balances_key,
        ledger.sender,
        ledger.customer_durable_key,
        cast(ledger.points_balance as bigint) as points_balance,
        ledger.last_entry_date,
        lots.oldest_earned_at,
        lots.next_expiry_date,
        cast(coalesce(lots.expiring_30_days_points, 0) as bigint) as expiring_30_days_points
    from ledger
    left join lots
        on
            ledger.sender = lots.sender
            and ledger.customer_durable_key = lots.customer_durable_key
)

select * from balances
