with

accounts as (
    select
        sender,
        identifier_token,
        person_key
    from {{ ref('stg_identity__person_identifiers') }}
    where identifier_kind = 'member' and person_key is not null
),

entries as (
    select
        sender,
        member_number_token,
        points,
        expires_on,
        {{ newest_day('cast(booked_at as date)', '(partition by sender)') }} as as_of_date
    from {{ ref('stg_points_entry__entries') }}
),

spent as (
    select
        sender,
        member_number_token,
        -sum(case when points < 0 then points else 0 end) as spent_points
    from entries
    group by sender, member_number_token
),

-- What is used or expires is taken from the points that expire first.
running as (
    select
        sender,
        member_number_token,
        expires_on,
        as_of_date,
        sum(points) over (
            partition by sender, member_number_token
            order by expires_on
        ) as earned_points
    from entries
    where points > 0 and expires_on is not null
),

left_over as (
    select
        running.sender,
        running.member_number_token,
        max(
            case
                when running.expires_on <= {{ days_after('running.as_of_date', 90) }}
                    then greatest(running.earned_points - spent.spent_points, 0)
                else 0
            end
        ) as expiring_points,
        min(case when running.earned_points > spent.spent_points then running.expires_on end)
            as next_expiry_date
    from running
    inner join spent
        on
            running.sender = spent.sender
            and running.member_number_token = spent.member_number_token
    group by running.sender, running.member_number_token
),

summed as (
    select
        accounts.person_key as customer_durable_key,
        sum(left_over.expiring_points) as points_expiring_90_days,
        min(left_over.next_expiry_date) as next_points_expiry_date
    from left_over
    inner join accounts
        on
            left_over.sender = accounts.sender
            and left_over.member_number_token = accounts.identifier_token
    group by accounts.person_key
)

select * from summed
