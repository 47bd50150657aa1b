{{ config(materialized='table') }}

{#- Both journals are read once for all models that replace days: an engine without indices reads
    them whole, however few the receipts are. -#}
{%- set is_whole = replaces_all_days() %}

-- depends_on: {{ ref('int_sales__touched_days') }}, {{ ref('int_sales__headers_resolved') }}

with

touched_lines as (
    select
        lines.sales_line_key,
        lines.template,
        lines.sender,
        lines.receipt_id,
        lines.line_number,
        lines.line_type,
        lines.product_code,
        lines.quantity,
        lines.unit_price,
        lines.list_amount,
        lines.discount_amount,
        lines.tax_amount,
        lines.cost_amount,
        lines.promotion_code,
        lines.coupon_code,
        lines.tax_code,
        lines.tax_share,
        lines.salesperson_code_token,
        lines.reason_code,
        lines.original_receipt_id,
        lines.original_line_number,
        lines.sold_at,
        lines.batch_id
    from {{ ref('int_sales__lines_unioned') }} as lines
    {%- if is_whole %}
    where false
    {%- else %}
    where lines.receipt_id in (
        select headers.receipt_id
        from {{ ref('int_sales__headers_resolved') }} as headers
        where {{ is_one_of_days('headers.business_date', 'int_sales__touched_days') }}
    )
    {%- endif %}
)

select * from touched_lines
