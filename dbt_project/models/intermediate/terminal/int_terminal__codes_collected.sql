{%- set records = [
    'int_sales__receipt_codes_collected',
    'stg_pos_standard__sessions',
    'stg_prepaid_entry__entries',
] %}

with

collected as (
    {%- for record in records %}
    select
        sender,
        store_code,
        terminal_code
    from {{ ref(record) }} as {{ record }}
    where store_code is not null and terminal_code is not null
    {{ 'union' if not loop.last }}
    {%- endfor %}
)

select * from collected
