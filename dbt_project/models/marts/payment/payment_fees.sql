-- Grain: one row per month, store, provider and currency

with

lines as (
    select
        cast(date_trunc('month', business_date) as date) as month_start_date,
        sender,
        provider,
        store_durable_key,
        currency_code,
        line_type,
        gross_amount,
        fee_amount,
        expected_fee_amount,
        is_fee_as_expected,
        net_amount,
        gross_amount_reporting,
        fee_amount_reporting,
        net_amount_reporting
    from {{ ref('fct_settlement_line') }}
),

summed as (
    select
        {{ surrogate_key([
            "'payment_fees'",
            'month_start_date',
            'sender',
            'provider',
            'store_durable_key',
            'currency_code',
        ]) }} as payment_fees_key,
        month_start_date,
        sender,
        provider,
        store_durable_key,
        currency_code,
        cast(count(*) as integer) as settlement_line_count,
        cast(sum(gross_amount) as decimal(18, 4)) as gross_amount,
        cast(sum(fee_amount) as decimal(18, 4)) as fee_amount,
        cast(sum(net_amount) as decimal(18, 4)) as net_amount,
        cast(sum(case when line_type = 'payment' then gross_amount else 0 end) as decimal(18, 4))
            as payment_amount,
        cast(sum(case when line_type = 'payment' then fee_amount else 0 end) as decimal(18, 4))
            as payment_fee_amount,
        cast(
            sum(
                case
                    when is_fee_as_expected = false then fee_amount - expected_fee_amount else 0
                end
            )
            as decimal(18, 4)
        ) as overcharged_amount,
        cast(sum(case when is_fee_as_expected = false then 1 else 0 end) as integer)
            as overcharged_line_count,
        cast(sum(gross_amount_reporting) as decimal(18, 4)) as gross_amount_reporting,
        cast(sum(fee_amount_reporting) as decimal(18, 4)) as fee_amount_reporting,
        cast(sum(net_amount_reporting) as decimal(18, 4)) as net_amount_reporting
    from lines
    group by month_start_date, sender, provider, store_durable_key, currency_code
),

rated as (
    select
        summed.payment_fees_key,
        summed.month_start_date,
        summed.sender,
        summed.provider,
        summed.store_durable_key,
        stores.name as store_name,
        summed.currency_code,
        summed.settlement_line_count,
        summed.gross_amount,
        summed.fee_amount,
        summed.net_amount,
        case
            when summed.payment_amount > 0
                then cast(summed.payment_fee_amount as double) / summed.payment_amount
        end as fee_share,
        summed.overcharged_line_count,
        summed.overcharged_amount,
        summed.gross_amount_reporting,
        summed.fee_amount_reporting,
        summed.net_amount_reporting
    from summed
    inner join {{ ref('dim_store') }} as stores
        on summed.store_durable_key = stores.store_durable_key and stores.is_current
)

select * from rated
