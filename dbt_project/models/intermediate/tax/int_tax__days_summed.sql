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

summed as (
    select
        business_date,
        sender,
        store_durable_key,
        tax_class_key,
        tax_authority_code,
        tax_share,
        currency_code,
        count(*) as line_count,
        sum(base_amount) as base_amount,
        sum(tax_amount) as tax_amount,
        sum(base_amount_reporting) as base_amount_reporting,
        sum(tax_amount_reporting) as tax_amount_reporting
    from {{ ref('fct_tax') }} as taxes
    where {{ is_of_touched_day('business_date') }}
    group by
        business_date, sender, store_durable_key, tax_class_key, tax_authority_code, tax_share,
        currency_code
    order by business_date
)

select * from summed
