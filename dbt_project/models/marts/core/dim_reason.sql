{%- set records = [
    'int_sales__receipt_codes_collected', 'int_sales__line_codes_collected',
    'stg_pos_standard__steps', 'stg_pos_standard__discounts', 'stg_pos_standard__sessions',
    'stg_web_order__lines', 'stg_web_order__refunds', 'stg_stock_movement__movements',
    'stg_points_entry__entries',
] %}

with

codes as (
    {%- for record in records %}
    select
        sender,
        reason_code
    from {{ ref(record) }} as {{ record }}
    where reason_code is not null
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

keyed as (
    select
        {{ surrogate_key(["'reason'", 'sender', 'reason_code']) }} as reason_key,
        sender,
        reason_code,
        replace(reason_code, '_', ' ') as name
    from codes
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(key_columns=['reason_key'], name_columns=['name']) }}
)

select * from members
