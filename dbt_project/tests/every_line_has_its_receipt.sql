{#- Lines that wait for their receipt, by sender and day: without it they have no shop and no
    currency, so they are in no fact yet. -#}
{{ config(severity='warn') }}

with

waiting as (
    select
        sender,
        business_date,
        count(*) as line_count
    from {{ ref('int_sales__lines_typed_otherwise') }}
    where reason = 'receipt_missing'
    group by sender, business_date
)

select * from waiting
