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
        business_date,
        transaction_key,
        sales_line_key,
        line_number,
        tax_class_key,
        net_amount,
        tax_amount
    from {{ ref('fct_sales_line') }}
    where {{ is_of_touched_day('business_date') }}
),

stated as (
    select
        headers.business_date,
        headers.transaction_key,
        taxes.tax_number,
        taxes.line_number,
        taxes.tax_class_key,
        taxes.tax_authority_code,
        taxes.base_amount,
        taxes.tax_share,
        taxes.tax_amount,
        taxes.is_included,
        taxes.batch_id
    from {{ ref('int_sales__headers_resolved') }} as headers
    inner join {{ ref('int_sales__taxes_stated') }} as taxes
        on {{ receipt_reference('headers') }} = {{ receipt_reference('taxes') }}
    where {{ is_of_touched_day('headers.business_date') }}
),

on_lines as (
    select
        lines.sales_line_key,
        lines.transaction_key,
        stated.tax_number,
        stated.tax_amount
    from stated
    inner join lines
        on
            stated.transaction_key = lines.transaction_key
            and stated.line_number = lines.line_number
),

classes as (
    select distinct
        transaction_key,
        tax_class_key
    from lines
    where tax_class_key >= 0
),

-- A tax on the whole receipt falls on the lines of its class; on all where none has it.
wholes as (
    select
        stated.transaction_key,
        coalesce(classes.tax_class_key, 0) as scope,
        stated.tax_number as whole_number,
        stated.tax_amount as amount
    from stated
    left join classes
        on
            stated.transaction_key = classes.transaction_key
            and stated.tax_class_key = classes.tax_class_key
    where stated.line_number is null
),

scopes as (
    select distinct
        transaction_key,
        scope
    from wholes
),

openings as (
    select
        lines.transaction_key,
        scopes.scope,
        lines.sales_line_key,
        lines.line_number,
        lines.tax_amount - coalesce(sum(on_lines.tax_amount), 0) as open_amount,
        lines.net_amount as fallback_amount
    from lines
    inner join scopes
        on
            lines.transaction_key = scopes.transaction_key
            and (scopes.scope = 0 or lines.tax_class_key = scopes.scope)
    left join on_lines on lines.sales_line_key = on_lines.sales_line_key
    group by
        lines.transaction_key, scopes.scope, lines.sales_line_key, lines.line_number,
        lines.tax_amount, lines.net_amount
),

detailed as (
    {{ allocated('wholes', 'openings') }}

    union all

    select
        sales_line_key,
        transaction_key,
        tax_number as whole_number,
        tax_amount as amount,
        true as is_first
    from on_lines
),

allocated as (
    select
        stated.business_date,
        detailed.transaction_key,
        detailed.sales_line_key,
        detailed.whole_number as tax_number,
        stated.tax_class_key,
        stated.tax_authority_code,
        stated.tax_share,
        stated.is_included,
        stated.line_number is null as is_allocated,
        coalesce(
            case when stated.line_number is not null then stated.base_amount end, lines.net_amount
        ) as base_amount,
        detailed.amount as tax_amount,
        stated.batch_id
    from detailed
    inner join stated
        on
            detailed.transaction_key = stated.transaction_key
            and detailed.whole_number = stated.tax_number
    inner join lines on detailed.sales_line_key = lines.sales_line_key
    order by stated.business_date
)

select * from allocated
