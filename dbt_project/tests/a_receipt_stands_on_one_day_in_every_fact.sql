{#- Lines and tenders stand on the business day of their receipt: a receipt that moved to another
    day took everything with it, whatever was replaced when. -#}
{{ config(severity='error') }}

-- depends_on: {{ ref('fct_sales_line') }}, {{ ref('int_sales__touched_days') }}
-- depends_on: {{ ref('int_sales__touched_receipts') }}

{#- Judged are the days written again, and wherever else their receipts may still stand. -#}
{%- set is_judged -%}
(
    {{ is_judged_day('business_date') }}
    or transaction_key in (
        select touched.transaction_key from {{ ref('int_sales__touched_receipts') }} as touched
    )
)
{%- endset %}

with

placed as (
    select
        transaction_key,
        business_date,
        store_key,
        customer_key
    from {{ ref('fct_sales_line') }}
    where {{ is_judged }}

    union all

    select
        transaction_key,
        business_date,
        store_key,
        customer_key
    from {{ ref('fct_tender') }}
    where {{ is_judged }}
),

astray as (
    select
        placed.transaction_key,
        placed.business_date,
        transactions.business_date as receipt_business_date
    from placed
    left join {{ ref('fct_transaction') }} as transactions
        on placed.transaction_key = transactions.transaction_key
    where
        transactions.transaction_key is null
        or placed.business_date != transactions.business_date
        or placed.store_key != transactions.store_key
        or placed.customer_key != transactions.customer_key
)

select * from astray
