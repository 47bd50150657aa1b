-- Grain: one row per programme and month

with

entries as (
    select
        sender,
        cast(date_trunc('month', business_date) as date) as month_start_date,
        sum(case when entry_type = 'earn' then points else 0 end) as earned_points,
        sum(case when entry_type = 'burn' then points else 0 end) as burned_points,
        sum(case when entry_type = 'expire' then points else 0 end) as expired_points,
        sum(case when entry_type = 'reverse' then points else 0 end) as reversed_points,
        sum(case when entry_type = 'adjust' then points else 0 end) as adjusted_points,
        sum(points) as moved_points,
        count(distinct case when customer_durable_key >= 0 then customer_durable_key end)
            as active_member_count
    from {{ ref('fct_points_ledger') }}
    group by sender, cast(date_trunc('month', business_date) as date)
),

spans as (
    select
        sender,
        min(month_start_date) as first_month_date,
        max(month_start_date) as last_month_date
    from entries
    group by sender
),

-- Months without entries keep their balance.
months as (
    select
        spans.sender,
        dates.calendar_date as month_start_date
    from spans
    inner join {{ ref('dim_date') }} as dates
        on
            spans.first_month_date <= dates.calendar_date
            and spans.last_month_date >= dates.calendar_date
            and extract('day' from dates.calendar_date) = 1
),

balanced as (
    select
        months.sender,
        months.month_start_date,
        coalesce(entries.earned_points, 0) as earned_points,
        coalesce(entries.burned_points, 0) as burned_points,
        coalesce(entries.expired_points, 0) as expired_points,
        coalesce(entries.reversed_points, 0) as reversed_points,
        coalesce(entries.adjusted_points, 0) as adjusted_points,
        coalesce(entries.active_member_count, 0) as active_member_count,
        sum(coalesce(entries.moved_points, 0)) over (
            partition by months.sender
            order by months.month_start_date
            rows between unbounded preceding and current row
        ) as points_balance
    from months
    left join entries
        on months.sender = entries.sender and months.month_start_date = entries.month_start_date
),

valued as (
    select
        {{ surrogate_key([
            "'points_monthly'", 'balanced.sender', 'balanced.month_start_date'
        ]) }} as points_monthly_key,
        balanced.sender,
        balanced.month_start_date,
        cast(balanced.earned_points as bigint) as earned_points,
        cast(balanced.burned_points as bigint) as burned_points,
        cast(balanced.expired_points as bigint) as expired_points,
        cast(balanced.reversed_points as bigint) as reversed_points,
        cast(balanced.adjusted_points as bigint) as adjusted_points,
        cast(balanced.points_balance as bigint) as points_balance,
        cast(balanced.active_member_count as bigint) as active_member_count,
        point_values.point_value_reporting,
        cast(
            balanced.points_balance * point_values.point_value_reporting as decimal(18, 4)
        ) as liability_amount_reporting
    from balanced
    left join {{ ref('int_points__values_observed') }} as point_values
        on balanced.sender = point_values.sender
)

select * from valued
