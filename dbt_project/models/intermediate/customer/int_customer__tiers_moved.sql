with

versions as (
    select
        customer_durable_key,
        tier,
        valid_from_at,
        is_current,
        lag(tier) over (partition by customer_durable_key order by valid_from_at) as tier_before
    from {{ ref('dim_customer') }}
    where customer_durable_key >= 0
),

-- A first tier, or none after all, is no movement.
moves as (
    select
        customer_durable_key,
        tier_before,
        valid_from_at
    from versions
    where tier_before is not null and tier is not null and tier != tier_before
),

summarised as (
    select
        customer_durable_key,
        max_by(tier_before, valid_from_at) as previous_loyalty_tier,
        max(cast(valid_from_at as date)) as loyalty_tier_since_date,
        count(*) as loyalty_tier_move_count
    from moves
    group by customer_durable_key
)

select * from summarised
