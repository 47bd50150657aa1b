{%- set records = {
    'int_sales__receipt_codes_collected': 'store_code',
    'stg_pos_standard__sessions': 'store_code',
    'stg_web_order__orders': 'store_code',
    'stg_web_order__fulfilments': 'store_code',
    'stg_web_event__events': 'store_code',
    'stg_post__posts': 'store_code',
    'stg_member__members': 'home_store_code',
    'stg_employee__employees': 'store_code',
    'stg_prepaid_entry__entries': 'store_code',
    'stg_points_entry__entries': 'store_code',
    'stg_stock_count__counts': 'store_code',
    'stg_stock_movement__movements': 'store_code',
    'stg_price__prices': 'store_code',
    'stg_promotion__placements': 'store_code',
    'stg_coupon__redemptions': 'store_code',
    'stg_settlement_line__lines': 'store_code',
    'stg_survey_response__answers': 'store_code',
    'stg_service_case__cases': 'store_code',
} %}

with

collected as (
    {%- for record, code in records.items() %}
    select
        sender,
        {{ code }} as store_code
    from {{ ref(record) }} as {{ record }}
    where {{ code }} is not null
    {{ 'union' if not loop.last }}
    {%- endfor %}
)

select * from collected
