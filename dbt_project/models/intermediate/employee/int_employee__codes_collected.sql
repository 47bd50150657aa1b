{%- set records = {
    'int_sales__receipt_codes_collected': 'operator_code_token',
    'int_sales__line_codes_collected': 'salesperson_code_token',
    'stg_pos_standard__steps': 'operator_code_token',
    'stg_pos_standard__sessions': 'operator_code_token',
    'stg_stock_movement__movements': 'operator_code_token',
    'stg_survey_response__answers': 'operator_code_token',
    'stg_service_case__cases': 'agent_code_token',
} %}

with

collected as (
    {%- for record, token in records.items() %}
    select
        sender,
        {{ token }} as employee_token
    from {{ ref(record) }} as {{ record }}
    where {{ token }} is not null
    {{ 'union' if not loop.last }}
    {%- endfor %}
)

select * from collected
