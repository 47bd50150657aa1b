{#- From one day to the next, stock on hand changes by the movements of the day and the difference
    of a count to the books, and by nothing else, wherever a sender books what comes and goes. -#}
{{ config(severity='error') }}

with

neighbours as (
    select
        daily.inventory_daily_key,
        daily.on_hand_quantity,
        lag(daily.on_hand_quantity) over (
            partition by daily.store_durable_key, daily.product_durable_key
            order by daily.business_date
        ) as previous_quantity,
        daily.moved_quantity,
        coalesce(daily.count_difference, 0) as count_difference
    from {{ ref('fct_inventory_daily') }} as daily
    inner join {{ ref('int_inventory__senders_described') }} as senders
        on daily.sender = senders.sender and senders.is_booking
),

moved as (
    select coalesce(sum(quantity), 0) as quantity
    from {{ ref('fct_inventory_movement') }}
    where store_durable_key >= 0 and product_durable_key >= 0
),

moved_daily as (
    select coalesce(sum(moved_quantity), 0) as quantity
    from {{ ref('fct_inventory_daily') }}
),

wrong as (
    select inventory_daily_key
    from neighbours
    where on_hand_quantity != previous_quantity + moved_quantity + count_difference

    union all

    select cast(null as bigint) as inventory_daily_key
    from moved
    cross join moved_daily
    where moved.quantity != moved_daily.quantity
)

select * from wrong
