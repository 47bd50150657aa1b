-- Grain: one row per provider, store, currency, age band and status of what is not settled

with

open_cases as (
    select
        sender,
        provider,
        store_durable_key,
        currency_code,
        status,
        case
            when age_days <= 1 then '0-1'
            when age_days <= 7 then '2-7'
            when age_days <= 30 then '8-30'
            when age_days <= 90 then '31-90'
            else '91+'
        end as age_band,
        age_days,
        expected_amount - settled_amount as open_amount,
        expected_amount_reporting - settled_amount_reporting as open_amount_reporting
    from {{ ref('fct_settlement_match') }}
    where status in ('awaited', 'missing_in_bill', 'missing_at_till', 'amount_differs')
),

aged as (
    select
        {{ surrogate_key([
            "'settlement_ageing'",
            'open_cases.sender',
            'open_cases.provider',
            'open_cases.store_durable_key',
            'open_cases.currency_code',
            'open_cases.age_band',
            'open_cases.status',
        ]) }} as settlement_ageing_key,
        open_cases.sender,
        open_cases.provider,
        open_cases.store_durable_key,
        min(stores.name) as store_name,
        open_cases.currency_code,
        open_cases.age_band,
        open_cases.status,
        cast(count(*) as integer) as case_count,
        max(open_cases.age_days) as oldest_age_days,
        cast(sum(open_cases.open_amount) as decimal(18, 4)) as open_amount,
        cast(sum(open_cases.open_amount_reporting) as decimal(18, 4)) as open_amount_reporting
    from open_cases
    inner join {{ ref('dim_store') }} as stores
        on open_cases.store_durable_key = stores.store_durable_key and stores.is_current
    group by
        open_cases.sender, open_cases.provider, open_cases.store_durable_key,
        open_cases.currency_code, open_cases.age_band, open_cases.status
)

select * from aged
