{#- Bills, prepaid cards, prices and costs that cannot be reported: their currency has no rate of
    the last seven days. A bill's chargebacks may come weeks after the newest sale and its rate. -#}
{{ config(severity='warn') }}

with

unrated as (
    select
        'fct_settlement_line' as fact,
        sender,
        currency_code,
        business_date
    from {{ ref('fct_settlement_line') }}
    where exchange_rate is null

    union all

    select
        'fct_prepaid_ledger' as fact,
        sender,
        currency_code,
        business_date
    from {{ ref('fct_prepaid_ledger') }}
    where exchange_rate is null

    union all

    select
        'fct_price' as fact,
        sender,
        currency_code,
        business_date
    from {{ ref('fct_price') }}
    where exchange_rate is null

    union all

    select
        'fct_inventory_movement' as fact,
        sender,
        currency_code,
        business_date
    from {{ ref('fct_inventory_movement') }}
    where exchange_rate is null and currency_code is not null

    union all

    select
        'fct_coupon_redemption' as fact,
        sender,
        currency_code,
        business_date
    from {{ ref('fct_coupon_redemption') }}
    where discount_amount is not null and discount_amount_reporting is null
),

missing as (
    select
        fact,
        sender,
        currency_code,
        business_date,
        count(*) as row_count
    from unrated
    group by fact, sender, currency_code, business_date
)

select * from missing
