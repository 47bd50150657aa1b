-- Grain: one row per month, programme, tier left and tier reached

with

versions as (
    select
        customer_durable_key,
        sender,
        tier,
        valid_from_at,
        member_since_date,
        lag(tier) over (partition by customer_durable_key order by valid_from_at) as previous_tier,
        lag(valid_from_at) over (partition by customer_durable_key order by valid_from_at)
            as previous_from_at
    from {{ ref('dim_customer') }}
    where customer_durable_key >= 0
),

-- The first tier is reached by joining, whenever the first version of the member came.
movements as (
    select
        customer_durable_key,
        coalesce(sender, 'unknown') as sender,
        cast(
            date_trunc(
                'month',
                case
                    when previous_from_at is null then member_since_date
                    else cast(valid_from_at as date)
                end
            ) as date
        ) as month_start_date,
        coalesce(previous_tier, 'none') as previous_tier,
        coalesce(tier, 'none') as tier
    from versions
    where coalesce(previous_tier, 'none') != coalesce(tier, 'none')
),

summed as (
    select
        {{ surrogate_key([
            "'tier_movement'", 'month_start_date', 'sender', 'previous_tier', 'tier'
        ]) }} as tier_movement_key,
        month_start_date,
        sender,
        previous_tier,
        tier,
        cast(count(distinct customer_durable_key) as integer) as member_count
    from movements
    group by month_start_date, sender, previous_tier, tier
)

select * from summed
