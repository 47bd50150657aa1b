-- Grain: one row per receipt or order of any type
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='business_date',
        on_schema_change='fail',
        pre_hook="{{ clear_touched_days('int_sales__touched_days') }}",
    )
}}

{#- On the receipt, or with the payments, which do not have it in their amounts. -#}
{%- set tip = 'coalesce(headers.tip_amount, totals.tender_tip_amount, 0)' %}

{%- set totals %}
{%- if is_replacing_touched_days() -%}
({{ receipts_totalled(is_of_touched_day('business_date')) }})
{%- else -%}
{{ ref('int_sales__receipts_totalled') }}
{%- endif -%}
{%- endset %}

-- depends_on: {{ ref('int_sales__touched_days') }}, {{ ref('int_sales__receipts_totalled') }}
-- depends_on: {{ ref('fct_sales_line') }}, {{ ref('fct_tender') }}
-- depends_on: {{ ref('int_sales__lines_typed_otherwise') }}

with

transactions as (
    select
        headers.transaction_key,
        headers.sender,
        headers.receipt_id,
        headers.transaction_type,
        headers.business_date,
        headers.date_key,
        headers.time_of_day_key,
        headers.sold_at,
        headers.store_key,
        headers.store_durable_key,
        headers.channel_key,
        headers.customer_key,
        headers.customer_durable_key,
        headers.terminal_key,
        headers.terminal_durable_key,
        headers.employee_key,
        headers.employee_durable_key,
        headers.reason_key,
        headers.terminal_code,
        totals.line_count,
        totals.delivered_line_count,
        cast(headers.declared_line_count as integer) as declared_line_count,
        totals.delivered_line_count = headers.declared_line_count as is_complete,
        totals.quantity,
        totals.list_amount,
        totals.discount_amount,
        cast(totals.list_amount - totals.discount_amount as decimal(18, 4)) as net_amount,
        totals.tax_amount,
        headers.rounding_amount,
        cast(totals.list_amount - totals.discount_amount + totals.tax_amount as decimal(18, 4))
            as gross_incl_tax_amount,
        totals.stored_value_amount,
        headers.declared_total_amount,
        totals.tender_amount,
        totals.is_tender_recorded,
        -- To the cent; a tender in another currency cannot be added up that exactly.
        case
            when totals.is_tender_recorded and totals.is_tender_of_one_currency
                then
                    abs(
                        totals.list_amount - totals.discount_amount + totals.tax_amount
                        + headers.rounding_amount + totals.stored_value_amount
                        - totals.tender_amount
                        + {{ tip }} - coalesce(totals.tender_tip_amount, 0)
                    ) < 0.005
        end as is_balanced,
        totals.instalment_count,
        cast({{ tip }} as decimal(18, 4)) as tip_amount,
        cast(headers.guest_count as integer) as guest_count,
        cast(headers.duration_seconds as integer) as duration_seconds,
        headers.currency_code,
        headers.exchange_rate,
        totals.list_amount_reporting,
        totals.discount_amount_reporting,
        cast(totals.list_amount_reporting - totals.discount_amount_reporting as decimal(18, 4))
            as net_amount_reporting,
        totals.tax_amount_reporting,
        {{ reporting_amount('headers.rounding_amount', 'headers.exchange_rate') }}
            as rounding_amount_reporting,
        {{ reporting_amount(tip, 'headers.exchange_rate') }} as tip_amount_reporting,
        cast(
            totals.list_amount_reporting - totals.discount_amount_reporting
            + totals.tax_amount_reporting as decimal(18, 4)
        ) as gross_incl_tax_amount_reporting,
        headers.is_sale,
        headers.is_local_time_ambiguous,
        headers.batch_id
    from {{ ref('int_sales__headers_resolved') }} as headers
    inner join {{ totals }} as totals
        on
            headers.business_date = totals.business_date
            and headers.transaction_key = totals.transaction_key
    where
        {{ is_of_touched_day('headers.business_date') }}
        and {{ is_of_touched_day('totals.business_date') }}
    order by headers.business_date
)

select * from transactions
