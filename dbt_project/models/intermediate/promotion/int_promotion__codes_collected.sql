with

lines as (
    select distinct
        sender,
        promotion_code
    from {{ ref('stg_pos_standard__lines') }}
),

order_lines as (
    select distinct
        sender,
        promotion_code
    from {{ ref('stg_web_order__lines') }}
),

discounts as (
    select distinct
        sender,
        promotion_code
    from {{ ref('stg_pos_standard__discounts') }}
),

codes as (
    select
        sender,
        promotion_code
    from lines
    union
    select
        sender,
        promotion_code
    from discounts
    union
    select
        sender,
        promotion_code
    from order_lines
),

collected as (
    select
        sender,
        promotion_code
    from codes
    where promotion_code is not null
)

select * from collected
