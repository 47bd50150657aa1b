with

counts as (
    select distinct sender
    from {{ ref('stg_stock_count__counts') }}
),

movements as (
    select
        sender,
        max(case when movement_type in ('sale', 'customer_return') then 1 else 0 end) = 1
            as is_booking_sales
    from {{ ref('stg_stock_movement__movements') }}
    group by sender
),

-- Without deliveries nobody knows what came in, so sales alone would only empty the shelves.
described as (
    select
        coalesce(counts.sender, movements.sender) as sender,
        counts.sender is not null as is_counting,
        movements.sender is not null as is_booking,
        movements.sender is not null and not movements.is_booking_sales as is_booked_by_sales
    from counts
    full outer join movements on counts.sender = movements.sender
)

select * from described
