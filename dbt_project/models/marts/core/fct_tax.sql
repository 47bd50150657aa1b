-- Grain: one row per line of a receipt or order and tax on it
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='business_date',
        on_schema_change='fail',
        pre_hook="{{ clear_touched_days('int_sales__touched_days') }}",
    )
}}

{%- set of_line = [
    'transaction_key', 'sender', 'receipt_id', 'line_number', 'business_date', 'date_key',
    'store_key', 'store_durable_key', 'product_key', 'product_durable_key', 'channel_key',
    'currency_code', 'exchange_rate',
] %}

-- depends_on: {{ ref('int_sales__touched_days') }}

with

lines as (
    select
        sales_line_key,
        {%- for column in of_line %}
        {{ column }},
        {%- endfor %}
        tax_class_key,
        tax_share,
        net_amount,
        tax_amount,
        batch_id
    from {{ ref('fct_sales_line') }}
    where {{ is_of_touched_day('business_date') }}
),

detailed as (
    select
        sales_line_key,
        tax_number,
        tax_class_key,
        tax_authority_code,
        tax_share,
        is_included,
        is_allocated,
        base_amount,
        tax_amount,
        batch_id
    from {{ ref('int_sales__taxes_allocated') }}
    where {{ is_of_touched_day('business_date') }}
),

explained as (
    select
        sales_line_key,
        sum(tax_amount) as tax_amount
    from detailed
    group by sales_line_key
),

taxes as (
    select
        sales_line_key,
        tax_number,
        tax_class_key,
        tax_authority_code,
        tax_share,
        is_included,
        is_allocated,
        base_amount,
        tax_amount,
        batch_id
    from detailed

    union all

    -- Without details the line's own tax, at nought too where it names its class: nought is a rate.
    select
        lines.sales_line_key,
        cast(null as integer) as tax_number,
        lines.tax_class_key,
        cast(null as varchar) as tax_authority_code,
        case when explained.sales_line_key is null then lines.tax_share end as tax_share,
        cast(null as boolean) as is_included,
        false as is_allocated,
        case when explained.sales_line_key is null then lines.net_amount else 0 end
            as base_amount,
        lines.tax_amount - coalesce(explained.tax_amount, 0) as tax_amount,
        lines.batch_id
    from lines
    left join explained on lines.sales_line_key = explained.sales_line_key
    where
        lines.tax_amount != coalesce(explained.tax_amount, 0)
        or (explained.sales_line_key is null and lines.tax_class_key >= 0)
),

valued as (
    select
        {{ surrogate_key(["'tax'", 'lines.sales_line_key', 'taxes.tax_number']) }} as tax_key,
        lines.sales_line_key,
        {%- for column in of_line %}
        lines.{{ column }},
        {%- endfor %}
        taxes.tax_class_key,
        taxes.tax_number,
        taxes.tax_authority_code,
        taxes.tax_share,
        taxes.is_included,
        taxes.is_allocated,
        cast(taxes.base_amount as decimal(18, 4)) as base_amount,
        cast(taxes.tax_amount as decimal(18, 4)) as tax_amount,
        {{ reporting_amount('taxes.base_amount', 'lines.exchange_rate') }}
            as base_amount_reporting,
        {{ reporting_amount('taxes.tax_amount', 'lines.exchange_rate') }} as tax_amount_reporting,
        taxes.batch_id
    from lines
    inner join taxes on lines.sales_line_key = taxes.sales_line_key
    order by lines.business_date
)

select * from valued
