{#- Lines and tenders stand on the business day of their receipt: a receipt that moved to another
    day took everything with it, whatever was replaced when. -#}
{{ config(severity='error') }}

-- depends_on: {{ ref('fct_sales_line') }}, {{ ref('fct_tender') }}
-- depends_on: {{ ref('int_sales__touched_days') }}, {{ ref('int_sales__touched_receipts') }}

{%- set judged_day = is_judged_day('business_date') %}

with

-- Judged are the days written again, and wherever else their receipts may still stand.
placed as (
    {% for fact in [ref('fct_sales_line'), ref('fct_tender')] %}
    select
        transaction_key,
        business_date,
        store_key,
        customer_key
    from {{ fact }}
    where {{ judged_day }}

    union all

    select
        fact.transaction_key,
        fact.business_date,
        fact.store_key,
        fact.customer_key
    from {{ fact }} as fact
    inner join {{ ref('int_sales__touched_receipts') }} as touched
        on fact.transaction_key = touched.transaction_key
    where not ({{ is_judged_day('fact.business_date') }})
    {%- if not loop.last %}

    union all
    {%- endif %}
    {% endfor %}
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
