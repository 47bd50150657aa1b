with

receipts as (
    select distinct
        sender,
        store_code
    from {{ ref('stg_pos_standard__receipts') }}
),

orders as (
    select distinct
        sender,
        store_code
    from {{ ref('stg_web_order__orders') }}
),

events as (
    select distinct
        sender,
        store_code
    from {{ ref('stg_web_event__events') }}
),

posts as (
    select distinct
        sender,
        store_code
    from {{ ref('stg_post__posts') }}
),

members as (
    select distinct
        sender,
        home_store_code as store_code
    from {{ ref('stg_member__members') }}
),

codes as (
    select
        sender,
        store_code
    from receipts
    union
    select
        sender,
        store_code
    from orders
    union
    select
        sender,
        store_code
    from events
    union
    select
        sender,
        store_code
    from posts
    union
    select
        sender,
        store_code
    from members
),

collected as (
    select
        sender,
        store_code
    from codes
    where store_code is not null
)

select * from collected
