{#- Every amount in a fact can be reported: its currency has a rate, seven days old at most. -#}
{{ config(severity='error') }}

with

unrated as (
    select
        sender,
        currency_code,
        business_date
    from {{ ref('fct_transaction') }}
    where is_sale and exchange_rate is null

    union all

    select
        sender,
        currency_code,
        business_date
    from {{ ref('fct_tender') }}
    where is_sale and exchange_rate is null

    union all

    select
        sender,
        currency_code,
        business_date
    from {{ ref('fct_till_session') }}
    where exchange_rate is null
),

missing as (
    select
        sender,
        currency_code,
        business_date,
        count(*) as row_count
    from unrated
    group by sender, currency_code, business_date
)

select * from missing
