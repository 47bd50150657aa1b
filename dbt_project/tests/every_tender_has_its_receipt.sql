{#- Tender movements that wait for their receipt, by sender: without it they are on no business day,
    so they are not in fct_tender yet. -#}
{{ config(severity='warn') }}

with

waiting as (
    select
        accepted.sender,
        count(*) as tender_count
    from {{ ref('int_tender__tenders_unioned') }} as accepted
    left join {{ ref('fct_tender') }} as tenders on accepted.tender_key = tenders.tender_key
    where tenders.tender_key is null
    group by accepted.sender
)

select * from waiting
