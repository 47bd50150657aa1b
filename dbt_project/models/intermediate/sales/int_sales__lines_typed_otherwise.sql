{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='business_date',
        on_schema_change='fail',
        pre_hook="{{ clear_touched_days('int_sales__touched_days') }}",
    )
}}

-- depends_on: {{ ref('int_sales__touched_days') }}, {{ ref('int_sales__touched_lines') }}

with

typed_otherwise as (
    select
        lines.sales_line_key,
        lines.template,
        lines.sender,
        lines.receipt_id,
        headers.transaction_key,
        lines.line_number,
        lines.line_type,
        case
            when headers.is_sale then 'line_' || lines.line_type
            else 'receipt_' || headers.transaction_type
        end as reason,
        headers.business_date,
        lines.quantity,
        lines.list_amount,
        lines.discount_amount,
        lines.tax_amount,
        {{ reporting_amount('lines.list_amount', 'headers.exchange_rate') }}
            as list_amount_reporting,
        {{ reporting_amount('lines.discount_amount', 'headers.exchange_rate') }}
            as discount_amount_reporting,
        {{ reporting_amount('lines.tax_amount', 'headers.exchange_rate') }}
            as tax_amount_reporting,
        lines.sold_at,
        lines.batch_id
    from {{ lines_to_write() }} as lines
    inner join {{ ref('int_sales__headers_resolved') }} as headers
        on {{ receipt_reference('lines') }} = {{ receipt_reference('headers') }}
    where
        not {{ is_sale_line('lines.line_type', 'headers.transaction_type') }}
        and {{ is_of_touched_day('headers.business_date') }}

    union all

    -- Without its receipt a line has no shop and no currency: it waits here, on its own UTC date.
    select
        lines.sales_line_key,
        lines.template,
        lines.sender,
        lines.receipt_id,
        cast(null as bigint) as transaction_key,
        lines.line_number,
        lines.line_type,
        'receipt_missing' as reason,
        cast(lines.sold_at as date) as business_date,
        lines.quantity,
        lines.list_amount,
        lines.discount_amount,
        lines.tax_amount,
        cast(null as decimal(18, 4)) as list_amount_reporting,
        cast(null as decimal(18, 4)) as discount_amount_reporting,
        cast(null as decimal(18, 4)) as tax_amount_reporting,
        lines.sold_at,
        lines.batch_id
    from {{ ref('int_sales__lines_unioned') }} as lines
    where {{ receipt_reference('lines') }} not in (
        select {{ receipt_reference('known') }}
        from {{ ref('int_sales__headers_unioned') }} as known
    )
    and {{ is_of_touched_day('cast(lines.sold_at as date)') }}
    and {{ is_near_touched_day('lines.sold_at') }}
)

select * from typed_otherwise
