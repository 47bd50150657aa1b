{%- set records = {
    'int_sales__line_codes_collected': 'tax_code',
    'stg_pos_standard__taxes': 'tax_code',
    'stg_product__products': 'tax_class',
} %}

with

codes as (
    {%- for record, code in records.items() %}
    select
        sender,
        {{ code }} as tax_code
    from {{ ref(record) }} as {{ record }}
    where {{ code }} is not null
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

keyed as (
    select
        {{ surrogate_key(["'tax_class'", 'sender', 'tax_code']) }} as tax_class_key,
        sender,
        tax_code,
        tax_code as name
    from codes
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(key_columns=['tax_class_key'], name_columns=['name']) }}
)

select * from members
