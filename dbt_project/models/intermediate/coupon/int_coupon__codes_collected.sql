{%- set records = [
    'stg_coupon__coupons',
    'stg_coupon__redemptions',
    'stg_pos_standard__discounts',
    'stg_web_order__lines',
    'stg_web_order__orders',
] %}

with

collected as (
    {%- for record in records %}
    select
        sender,
        coupon_code
    from {{ ref(record) }} as {{ record }}
    where coupon_code is not null
    {{ 'union' if not loop.last }}
    {%- endfor %}
)

select * from collected
