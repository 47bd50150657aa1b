{#- Lines and tenders stand on the business day of their receipt: a receipt that moved to another
    day took everything with it, whatever was replaced when. -#}
{{ config(severity='error') }}

with

placed as (
    select
        transaction_key,
        business_date,
        store_key,
        customer_key
    from {{ ref('fct_sales_line') }}

    union all

    select
        transaction_key,
        business_date,
        store_key,
        customer_key
    from {{ ref('fct_tender') }}
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
