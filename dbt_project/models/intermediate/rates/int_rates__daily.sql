{{ config(materialized='table') }}

with

rates as (
    select
        base_currency_code,
        quote_currency_code,
        rate_date,
        rate,
        updated_at,
        sender,
        batch_id
    from {{ ref('stg_exchange_rate__rates') }}
    where rate > 0
),

-- Either side of a pair may be the reporting currency.
quotes as (
    select
        base_currency_code as currency_code,
        rate_date,
        cast(rate as decimal(20, 12)) as exchange_rate,
        true as is_direct,
        updated_at,
        sender,
        batch_id
    from rates
    where quote_currency_code = {{ reporting_currency() }}

    union all

    select
        quote_currency_code as currency_code,
        rate_date,
        cast(1 / cast(rate as double) as decimal(20, 12)) as exchange_rate,
        false as is_direct,
        updated_at,
        sender,
        batch_id
    from rates
    where base_currency_code = {{ reporting_currency() }}
),

-- A rate is no sender's own: a direct one beats an inverse, then the one written last holds.
stated as (
    select
        currency_code,
        rate_date,
        exchange_rate,
        batch_id,
        lead(rate_date) over (partition by currency_code order by rate_date) as next_rate_date
    from (
        select
            currency_code,
            rate_date,
            exchange_rate,
            batch_id
        from quotes
        where currency_code != {{ reporting_currency() }}
        qualify row_number() over (
            partition by currency_code, rate_date
            order by is_direct desc, updated_at desc nulls last, sender asc
        ) = 1
    ) as one_a_day
),

ages as (
    {{ number_series(8) }}
),

-- Good for its own day and, while none is newer, for the seven after it.
carried as (
    select
        stated.currency_code,
        {{ days_after('stated.rate_date', 'ages.number') }} as business_date,
        stated.rate_date,
        stated.exchange_rate,
        stated.batch_id as changed_batch_id
    from stated
    inner join ages
        on
            stated.next_rate_date is null
            or {{ days_after('stated.rate_date', 'ages.number') }} < stated.next_rate_date
)

select * from carried
