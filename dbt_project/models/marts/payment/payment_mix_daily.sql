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

-- Change given is no way of paying: it lessens what was paid in cash.
summed as (
    select
        tenders.business_date,
        tenders.date_key,
        tenders.store_durable_key,
        tenders.tender_type_key,
        tenders.currency_code,
        count(*) filter (where tenders.amount > 0) as payment_count,
        count(distinct tenders.transaction_key) as transaction_count,
        cast(sum(tenders.amount) as decimal(18, 4)) as amount,
        cast(sum(tenders.amount_reporting) as decimal(18, 4)) as amount_reporting
    from {{ ref('fct_tender') }} as tenders
    where tenders.is_sale and {{ is_of_touched_day('tenders.business_date') }}
    group by
        tenders.business_date, tenders.date_key, tenders.store_durable_key,
        tenders.tender_type_key, tenders.currency_code
),

mixed as (
    select
        {{ surrogate_key([
            "'payment_mix_daily'",
            'summed.business_date',
            'summed.store_durable_key',
            'summed.tender_type_key',
            'summed.currency_code',
        ]) }} as payment_mix_daily_key,
        summed.business_date,
        summed.date_key,
        summed.store_durable_key,
        summed.tender_type_key,
        tender_types.tender_type_code,
        tender_types.family as tender_family,
        summed.currency_code,
        cast(summed.payment_count as integer) as payment_count,
        cast(summed.transaction_count as integer) as transaction_count,
        summed.amount,
        summed.amount_reporting,
        -- Of the day's takings; none on a day whose refunds outweigh its sales.
        case
            when
                sum(summed.amount_reporting) over (
                    partition by summed.business_date, summed.store_durable_key
                ) > 0
                then
                    cast(summed.amount_reporting as double)
                    / sum(summed.amount_reporting) over (
                        partition by summed.business_date, summed.store_durable_key
                    )
        end as amount_share
    from summed
    inner join {{ ref('dim_tender_type') }} as tender_types
        on summed.tender_type_key = tender_types.tender_type_key
    order by summed.business_date
)

select * from mixed
