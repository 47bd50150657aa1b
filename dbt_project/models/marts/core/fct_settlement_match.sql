-- Grain: one row per match case of a payment at the till and its lines in the bills

with

cases as (
    select
        stated.settlement_match_key,
        stated.sender,
        stated.provider,
        stated.status,
        stated.match_rule,
        coalesce(stated.tender_key, case when stated.status = 'provider_fee' then -2 else -1 end)
            as tender_key,
        coalesce(
            stated.transaction_key, case when stated.status = 'provider_fee' then -2 else -1 end
        ) as transaction_key,
        coalesce(
            stated.tender_type_key, case when stated.status = 'provider_fee' then -2 else -1 end
        ) as tender_type_key,
        stated.store_key,
        stated.store_durable_key,
        stated.business_date,
        {{ date_key('stated.business_date') }} as date_key,
        stated.settled_date,
        stated.settled_after_days,
        stated.age_days,
        stated.reference_number,
        stated.receipt_id,
        stated.settlement_line_count,
        cast(stated.expected_amount as decimal(18, 4)) as expected_amount,
        cast(stated.settled_amount as decimal(18, 4)) as settled_amount,
        cast(stated.refund_amount as decimal(18, 4)) as refund_amount,
        cast(stated.chargeback_amount as decimal(18, 4)) as chargeback_amount,
        cast(stated.fee_amount as decimal(18, 4)) as fee_amount,
        cast(stated.expected_fee_amount as decimal(18, 4)) as expected_fee_amount,
        cast(stated.paid_amount as decimal(18, 4)) as paid_amount,
        stated.currency_code,
        cast(
            case
                when stated.currency_code = {{ reporting_currency() }} then 1
                else rates.exchange_rate
            end as decimal(20, 12)
        ) as exchange_rate,
        stated.batch_id
    from {{ ref('int_settlement__cases_stated') }} as stated
    left join {{ ref('int_rates__daily') }} as rates
        on
            stated.currency_code = rates.currency_code
            and stated.business_date = rates.business_date
),

valued as (
    select
        settlement_match_key,
        sender,
        provider,
        status,
        match_rule,
        tender_key,
        transaction_key,
        tender_type_key,
        store_key,
        store_durable_key,
        business_date,
        date_key,
        settled_date,
        settled_after_days,
        age_days,
        reference_number,
        receipt_id,
        settlement_line_count,
        expected_amount,
        settled_amount,
        refund_amount,
        chargeback_amount,
        fee_amount,
        expected_fee_amount,
        paid_amount,
        currency_code,
        exchange_rate,
        {{ reporting_amount('expected_amount', 'exchange_rate') }}
            as expected_amount_reporting,
        {{ reporting_amount('settled_amount', 'exchange_rate') }}
            as settled_amount_reporting,
        {{ reporting_amount('refund_amount', 'exchange_rate') }}
            as refund_amount_reporting,
        {{ reporting_amount('chargeback_amount', 'exchange_rate') }}
            as chargeback_amount_reporting,
        {{ reporting_amount('fee_amount', 'exchange_rate') }}
            as fee_amount_reporting,
        {{ reporting_amount('expected_fee_amount', 'exchange_rate') }}
            as expected_fee_amount_reporting,
        {{ reporting_amount('paid_amount', 'exchange_rate') }}
            as paid_amount_reporting,
        batch_id
    from cases
)

select * from valued
