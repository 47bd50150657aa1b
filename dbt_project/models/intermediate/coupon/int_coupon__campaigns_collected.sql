{%- set records = ['stg_coupon__coupons', 'stg_coupon__targets', 'stg_coupon__redemptions'] %}

with

collected as (
    {%- for record in records %}
    select
        sender,
        promotion_code
    from {{ ref(record) }} as {{ record }}
    {{ 'union' if not loop.last }}
    {%- endfor %}
)

select * from collected
