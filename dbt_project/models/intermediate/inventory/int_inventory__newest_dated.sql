with

records as (
    select
        sender,
        business_date
    from {{ ref('int_inventory__counts_placed') }}

    union all

    select
        sender,
        business_date
    from {{ ref('int_inventory__movements_dated') }}

    union all

    select
        sold_daily.sender,
        sold_daily.business_date
    from {{ ref('int_inventory__sold_daily') }} as sold_daily
    inner join {{ ref('int_inventory__senders_described') }} as senders
        on sold_daily.sender = senders.sender and senders.is_booked_by_sales
),

dated as (
    select
        sender,
        {{ newest_day('business_date') }} as newest_date
    from records
    group by sender
)

select * from dated
