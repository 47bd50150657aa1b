-- Grain: one row per line of a completed receipt or order that counts as sales
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='business_date',
        on_schema_change='fail',
        pre_hook="{{ clear_touched_days('int_sales__touched_days') }}",
    )
}}

{%- set list_reporting = reporting_amount('lines.list_amount', 'headers.exchange_rate') %}
{%- set discount_reporting = reporting_amount('lines.discount_amount', 'headers.exchange_rate') %}
{%- set tax_reporting = reporting_amount('lines.tax_amount', 'headers.exchange_rate') %}

-- depends_on: {{ ref('int_sales__touched_days') }}, {{ ref('int_sales__touched_lines') }}
-- depends_on: {{ ref('int_sales__lines_unioned') }}, {{ ref('int_sales__returns_linked') }}
-- depends_on: {{ ref('int_sales__headers_unioned') }}

with

sales_lines as (
    select
        lines.sales_line_key,
        headers.transaction_key,
        headers.sender,
        headers.receipt_id,
        cast(lines.line_number as integer) as line_number,
        lines.line_type,
        headers.business_date,
        headers.date_key,
        headers.time_of_day_key,
        headers.sold_at,
        headers.store_key,
        headers.store_durable_key,
        headers.terminal_key,
        headers.terminal_durable_key,
        case
            when lines.salesperson_code_token is null then headers.employee_key
            else coalesce(salespeople.employee_key, -1)
        end as employee_key,
        case
            when lines.salesperson_code_token is null then headers.employee_durable_key
            else coalesce(salespeople.employee_durable_key, -1)
        end as employee_durable_key,
        headers.terminal_code,
        {{ member_key('lines.product_code', 'products.product_key') }} as product_key,
        {{ member_key('lines.product_code', 'products.product_durable_key') }}
            as product_durable_key,
        headers.customer_key,
        headers.customer_durable_key,
        headers.channel_key,
        {{ member_key('lines.promotion_code', 'promotions.promotion_key') }} as promotion_key,
        lines.coupon_code,
        {{ member_key('lines.tax_code', 'tax_classes.tax_class_key') }} as tax_class_key,
        lines.tax_share,
        {{ member_key('lines.reason_code', 'reasons.reason_key') }} as reason_key,
        case
            when lines.line_type = 'return' then coalesce(linked_returns.original_line_key, -1)
            else -2
        end as original_line_key,
        lines.quantity,
        lines.unit_price,
        lines.list_amount,
        lines.discount_amount,
        cast(lines.list_amount - lines.discount_amount as decimal(18, 4)) as net_amount,
        lines.tax_amount,
        cast(lines.list_amount - lines.discount_amount + lines.tax_amount as decimal(18, 4))
            as gross_incl_tax_amount,
        lines.cost_amount,
        headers.currency_code,
        headers.exchange_rate,
        -- Totals are made of rounded parts, so that they add up in both currencies.
        {{ list_reporting }} as list_amount_reporting,
        {{ discount_reporting }} as discount_amount_reporting,
        cast({{ list_reporting }} - {{ discount_reporting }} as decimal(18, 4))
            as net_amount_reporting,
        {{ tax_reporting }} as tax_amount_reporting,
        cast(
            {{ list_reporting }} - {{ discount_reporting }} + {{ tax_reporting }} as decimal(18, 4)
        ) as gross_incl_tax_amount_reporting,
        {{ reporting_amount('lines.cost_amount', 'headers.exchange_rate') }}
            as cost_amount_reporting,
        lines.batch_id
    from {{ ref('int_sales__headers_resolved') }} as headers
    inner join {{ lines_to_write() }} as lines
        on {{ receipt_reference('headers') }} = {{ receipt_reference('lines') }}
    left join {{ ref('dim_product') }} as products
        on
            lines.sender = products.sender
            and lines.product_code = products.product_code
            and headers.sold_at >= products.valid_from_at
            and headers.sold_at < products.valid_to_at
    left join {{ ref('dim_promotion') }} as promotions
        on lines.sender = promotions.sender and lines.promotion_code = promotions.promotion_code
    left join {{ ref('dim_employee') }} as salespeople
        on
            lines.sender = salespeople.sender
            and lines.salesperson_code_token = salespeople.employee_token
            and headers.sold_at >= salespeople.valid_from_at
            and headers.sold_at < salespeople.valid_to_at
    left join {{ ref('dim_tax_class') }} as tax_classes
        on lines.sender = tax_classes.sender and lines.tax_code = tax_classes.tax_code
    left join {{ ref('dim_reason') }} as reasons
        on lines.sender = reasons.sender and lines.reason_code = reasons.reason_code
    left join {{ returns_to_write() }} as linked_returns
        on lines.sales_line_key = linked_returns.sales_line_key
    where
        {{ is_sale_line('lines.line_type', 'headers.transaction_type') }}
        and {{ is_of_touched_day('headers.business_date') }}
    order by headers.business_date
)

select * from sales_lines
