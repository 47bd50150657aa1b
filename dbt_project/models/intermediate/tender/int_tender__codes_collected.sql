{{ config(materialized='table') }}

with

collected as (
    select distinct
        tender_type_code,
        card_issuer,
        currency_code
    from {{ ref('int_tender__tenders_unioned') }}
)

select * from collected
