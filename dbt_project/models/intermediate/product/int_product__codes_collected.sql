{%- set records = [
    'stg_pos_standard__lines',
    'stg_web_order__lines',
    'stg_web_event__events',
    'stg_post__posts',
    'stg_stock_count__counts',
    'stg_stock_movement__movements',
    'stg_price__prices',
    'stg_promotion__products',
    'stg_promotion__placements',
] %}

with

collected as (
    {%- for record in records %}
    select
        sender,
        product_code
    from {{ ref(record) }} as {{ record }}
    where product_code is not null
    {{ 'union' if not loop.last }}
    {%- endfor %}
)

select * from collected
