{#- Receipts of which fewer lines have come than the till counted, by sender and day: a line was
    rejected or is on its way. They are in the facts, flagged is_complete = false. -#}
{{ config(severity='warn') }}

with

short_receipts as (
    select
        sender,
        business_date,
        count(*) as receipt_count,
        sum(declared_line_count - delivered_line_count) as missing_line_count
    from {{ ref('fct_transaction') }}
    where is_complete = false
    group by sender, business_date
)

select * from short_receipts
