{#-
    Bill footer = bill lines, to the last digit and without a tolerance. The loader holds a bill
    back whose lines do not come to what its footer states, so of every bill that is staged the star
    must have as many lines, and the same gross, fee and net. Repeats and replaced versions of a
    line are left out by staging and belong to no bill. A provider that numbers no payouts is held
    per currency and UTC day: its bills have no code but the star's own, of provider, currency and
    the store's day.
-#}
{{ config(severity='error') }}

with

-- What staging has and the star has not comes to something other than 0.
lines as (
    select
        sender,
        provider,
        currency_code,
        settlement_batch_id as bill_code,
        {{ utc_day_number('settled_at') }} as utc_day_number,
        1 as line_count,
        gross_amount,
        fee_amount,
        net_amount
    from {{ ref('stg_settlement_line__lines') }}

    union all

    select
        sender,
        provider,
        currency_code,
        settlement_batch_code as bill_code,
        {{ utc_day_number('settled_at') }} as utc_day_number,
        -1 as line_count,
        -gross_amount as gross_amount,
        -fee_amount as fee_amount,
        -net_amount as net_amount
    from {{ ref('fct_settlement_line') }}
),

of_bills as (
    select
        sender,
        provider,
        currency_code,
        case
            when bill_code is null or bill_code like concat(provider, ' ', currency_code, ' %')
                then concat('day ', cast(utc_day_number as varchar))
            else bill_code
        end as bill_code,
        line_count,
        gross_amount,
        fee_amount,
        net_amount
    from lines
),

wrong as (
    select
        sender,
        provider,
        currency_code,
        bill_code
    from of_bills
    group by sender, provider, currency_code, bill_code
    having
        sum(line_count) != 0
        or coalesce(sum(gross_amount), 0) != 0
        or coalesce(sum(fee_amount), 0) != 0
        or coalesce(sum(net_amount), 0) != 0
)

select * from wrong
