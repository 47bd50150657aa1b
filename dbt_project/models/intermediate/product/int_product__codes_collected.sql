with

lines as (
    select distinct
        sender,
        product_code
    from {{ ref('stg_pos_standard__lines') }}
),

order_lines as (
    select distinct
        sender,
        product_code
    from {{ ref('stg_web_order__lines') }}
),

events as (
    select distinct
        sender,
        product_code
    from {{ ref('stg_web_event__events') }}
),

posts as (
    select distinct
        sender,
        product_code
    from {{ ref('stg_post__posts') }}
),

codes as (
    select
        sender,
        product_code
    from lines
    union
    select
        sender,
        product_code
    from order_lines
    union
    select
        sender,
        product_code
    from events
    union
    select
        sender,
        product_code
    from posts
),

collected as (
    select
        sender,
        product_code
    from codes
    where product_code is not null
)

select * from collected
