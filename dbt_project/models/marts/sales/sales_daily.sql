-- Grain: one row per business date, store, channel and currency
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

{%- set measures = sales_measures() | list %}
{%- set place = ['business_date', 'date_key', 'store_key', 'store_durable_key', 'channel_key',
    'currency_code'] | join(', ') %}

with

line_sums as (
    select
        {{ place }},
        {{ sales_sums() }}
    from {{ ref('fct_sales_line') }}
    where {{ is_of_touched_day('business_date') }}
    group by {{ place }}
),

receipt_counts as (
    select
        {{ place }},
        count(*) as receipts,
        count(*) filter (where transaction_type != 'return') as baskets
    from {{ ref('fct_transaction') }}
    where is_sale and {{ is_of_touched_day('business_date') }}
    group by {{ place }}
),

-- A receipt without a line that counts is one all the same.
stacked as (
    select
        {{ place }},
        {%- for measure in measures %}
        {{ measure }},
        {%- endfor %}
        units,
        0 as receipts,
        0 as baskets
    from line_sums

    union all

    select
        {{ place }},
        {%- for measure in measures %}
        null as {{ measure }},
        {%- endfor %}
        0 as units,
        receipts,
        baskets
    from receipt_counts
),

summed as (
    select
        {{ place }},
        {%- for measure in measures %}
        cast(sum({{ measure }}) as decimal(18, 4)) as {{ measure }},
        {%- endfor %}
        cast(sum(units) as decimal(18, 3)) as units,
        cast(sum(receipts) as bigint) as receipts,
        cast(sum(baskets) as bigint) as baskets
    from stacked
    group by {{ place }}
    order by business_date
)

select * from summed
