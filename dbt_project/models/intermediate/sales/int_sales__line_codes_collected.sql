{{ config(materialized='table') }}

with

collected as (
    select distinct
        sender,
        tax_code,
        salesperson_code_token,
        reason_code
    from {{ ref('stg_pos_standard__lines') }}
)

select * from collected
