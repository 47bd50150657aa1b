-- Grain: one row per business date, store, currency, department and category
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='business_date',
        on_schema_change='fail',
        pre_hook="{{ clear_touched_days('int_sales__touched_days') }}",
    )
}}

-- depends_on: {{ ref('int_sales__touched_days') }}

with

lines as (
    select
        sales_lines.business_date,
        sales_lines.date_key,
        sales_lines.store_durable_key,
        sales_lines.currency_code,
        -- As the product was when it was sold.
        coalesce(products.department, 'Unknown') as department,
        coalesce(products.category, 'Unknown') as category,
        sales_lines.line_type,
        sales_lines.quantity,
        {%- for column in ['list_amount', 'discount_amount', 'net_amount', 'tax_amount',
            'cost_amount'] %}
        sales_lines.{{ column }},
        sales_lines.{{ column }}_reporting,
        {%- endfor %}
        sales_lines.transaction_key
    from {{ ref('fct_sales_line') }} as sales_lines
    left join {{ ref('dim_product') }} as products
        on sales_lines.product_key = products.product_key
    where {{ is_of_touched_day('sales_lines.business_date') }}
),

summed as (
    select
        business_date,
        date_key,
        store_durable_key,
        currency_code,
        department,
        category,
        {{ sales_sums() }},
        count(distinct transaction_key) as receipts
    from lines
    group by business_date, date_key, store_durable_key, currency_code, department, category
    order by business_date
)

select * from summed
