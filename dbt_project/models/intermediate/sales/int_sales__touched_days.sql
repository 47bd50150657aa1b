{{ config(materialized='table') }}

{#- Where the touched receipts stood until now: their day may be another one after this build. -#}
{%- set by_receipt = stored_table('intermediate', 'int_sales__lines_typed_otherwise') %}
{%- set stored_lines = stored_table('core', 'fct_sales_line') %}
{%- set stored_steps = stored_table('core', 'fct_pos_step') %}
{%- set stored_headers = stored_table('intermediate', 'int_sales__headers_resolved') %}

-- depends_on: {{ ref('dim_product') }}, {{ ref('dim_customer') }}, {{ ref('dim_employee') }}

with

days as (
    select headers.business_date
    from {{ ref('int_sales__headers_dated') }} as headers
    inner join {{ ref('int_sales__touched_receipts') }} as touched_receipts
        on headers.transaction_key = touched_receipts.transaction_key

    union

    -- Lines whose receipt has not come stand on their own UTC date.
    select cast(lines.sold_at as date) as business_date
    from {{ ref('int_sales__lines_unioned') }} as lines
    inner join {{ ref('int_sales__touched_receipts') }} as touched_receipts
        on {{ receipt_reference('lines') }} = {{ receipt_reference('touched_receipts') }}
    where touched_receipts.transaction_key is null

    union

    select business_date
    from {{ ref('int_rates__daily') }} as rates
    where changed_batch_id > {{ built_batch_id() }}
    {%- if by_receipt %}

    union

    select stored.business_date
    from {{ by_receipt }} as stored
    inner join {{ ref('int_sales__touched_receipts') }} as touched_receipts
        on {{ receipt_reference('stored') }} = {{ receipt_reference('touched_receipts') }}
    {%- endif %}
    {%- if stored_lines %}

    union
    {{ days_of_changed('dim_product', 'product_durable_key', stored_lines, 'sold_at') }}

    union
    {{ days_of_changed('dim_employee', 'employee_durable_key', stored_lines, 'sold_at') }}
    {%- endif %}
    {%- if stored_headers %}

    union

    select stored.business_date
    from {{ stored_headers }} as stored
    inner join {{ ref('int_sales__touched_receipts') }} as touched_receipts
        on stored.transaction_key = touched_receipts.transaction_key

    union
    {{ days_of_changed('dim_customer', 'customer_durable_key', stored_headers, 'sold_at') }}

    union
    {{ days_of_changed('dim_employee', 'employee_durable_key', stored_headers, 'sold_at') }}
    {%- endif %}
    {%- if stored_steps %}

    union
    {{ days_of_changed('dim_employee', 'employee_durable_key', stored_steps, 'sold_at') }}
    {%- endif %}
    {{- days_still_to_write() }}
),

touched_days as (
    select
        business_date,
        {{ built_batch_id() }} as since_batch_id
    from days
    where {{ 'false' if replaces_all_days() else 'true' }}
)

select * from touched_days
