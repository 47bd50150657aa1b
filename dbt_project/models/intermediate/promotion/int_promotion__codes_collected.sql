{%- set records = [
    'stg_pos_standard__lines',
    'stg_pos_standard__discounts',
    'stg_web_order__lines',
    'stg_promotion__products',
    'stg_promotion__placements',
    'stg_price__prices',
    'stg_coupon__coupons',
    'stg_coupon__targets',
    'stg_coupon__redemptions',
] %}

with

collected as (
    {%- for record in records %}
    select
        sender,
        promotion_code
    from {{ ref(record) }} as {{ record }}
    where promotion_code is not null
    {{ 'union' if not loop.last }}
    {%- endfor %}
)

select * from collected
