{{ config(materialized='table') }}

with

collected as (
    select distinct
        sender,
        store_code,
        terminal_code,
        operator_code_token,
        currency_code,
        reason_code
    from {{ ref('stg_pos_standard__receipts') }}
)

select * from collected
