{#- No prepaid card is spent below nothing, and its balance is what its sender says it is. An entry
    that is late makes both fail until it comes. -#}
{{ config(severity='warn') }}

with

wrong as (
    select
        sender,
        entry_id,
        booked_at,
        balance_amount,
        stated_balance_amount
    from {{ ref('fct_prepaid_ledger') }}
    where balance_amount < 0 or balance_amount != stated_balance_amount
)

select * from wrong
