-- Grain: one row per store, business day and tender type
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='business_date',
        on_schema_change='fail',
        pre_hook="{{ clear_touched_days('int_sales__touched_days') }}",
    )
}}

-- depends_on: {{ ref('int_sales__touched_days') }}

with

-- Change given lessens what its receipt was paid in cash; what is left below nought is a refund.
receipts as (
    select
        tenders.transaction_key,
        tenders.business_date,
        tenders.date_key,
        tenders.store_durable_key,
        tenders.tender_type_key,
        tenders.currency_code,
        sum(tenders.amount) as amount,
        sum(tenders.amount_reporting) as amount_reporting
    from {{ ref('fct_tender') }} as tenders
    where tenders.is_sale and {{ is_of_touched_day('tenders.business_date') }}
    group by
        tenders.transaction_key, tenders.business_date, tenders.date_key,
        tenders.store_durable_key, tenders.tender_type_key, tenders.currency_code
),

summed as (
    select
        business_date,
        date_key,
        store_durable_key,
        tender_type_key,
        currency_code,
        sum(case when amount > 0 then 1 else 0 end) as payment_count,
        sum(case when amount < 0 then 1 else 0 end) as refund_count,
        sum(case when amount > 0 then amount else 0 end) as payment_amount,
        sum(case when amount < 0 then amount else 0 end) as refund_amount,
        sum(case when amount > 0 then amount_reporting else 0 end) as payment_amount_reporting,
        sum(case when amount < 0 then amount_reporting else 0 end) as refund_amount_reporting
    from receipts
    group by business_date, date_key, store_durable_key, tender_type_key, currency_code
),

compared as (
    select
        business_date,
        date_key,
        store_durable_key,
        tender_type_key,
        currency_code,
        payment_count,
        refund_count,
        payment_amount,
        refund_amount,
        payment_amount_reporting,
        refund_amount_reporting,
        sum(payment_amount_reporting) over (partition by business_date, store_durable_key)
            as store_payment_amount_reporting
    from summed
),

mixed as (
    select
        {{ surrogate_key([
            "'payment_mix_daily'",
            'compared.business_date',
            'compared.store_durable_key',
            'compared.tender_type_key',
            'compared.currency_code',
        ]) }} as payment_mix_daily_key,
        compared.business_date,
        compared.date_key,
        compared.store_durable_key,
        compared.tender_type_key,
        tender_types.tender_type_code,
        tender_types.family as tender_family,
        compared.currency_code,
        cast(compared.payment_count as integer) as payment_count,
        cast(compared.refund_count as integer) as refund_count,
        cast(compared.payment_amount as decimal(18, 4)) as payment_amount,
        cast(compared.refund_amount as decimal(18, 4)) as refund_amount,
        cast(compared.payment_amount_reporting as decimal(18, 4)) as payment_amount_reporting,
        cast(compared.refund_amount_reporting as decimal(18, 4)) as refund_amount_reporting,
        case
            when compared.store_payment_amount_reporting > 0
                then
                    cast(compared.payment_amount_reporting as double)
                    / cast(compared.store_payment_amount_reporting as double)
        end as payment_share
    from compared
    inner join {{ ref('dim_tender_type') }} as tender_types
        on compared.tender_type_key = tender_types.tender_type_key
    order by compared.business_date
)

select * from mixed
