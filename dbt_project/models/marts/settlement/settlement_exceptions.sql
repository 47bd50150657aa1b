-- Grain: one row per match case that is not settled as expected

with

-- What the case is short of: money that should have come and has not, or has gone again.
exceptions as (
    select
        cases.settlement_match_key,
        cases.sender,
        cases.provider,
        cases.status,
        cases.status in ('missing_in_bill', 'missing_at_till', 'amount_differs') as is_open,
        cases.business_date,
        cases.settled_date,
        cases.age_days,
        stores.name as store_name,
        cases.store_durable_key,
        tender_types.tender_type_code,
        cases.transaction_key,
        cases.receipt_id,
        cases.reference_number,
        cases.expected_amount,
        cases.settled_amount,
        cases.refund_amount,
        cases.chargeback_amount,
        cases.fee_amount,
        cases.expected_fee_amount,
        cast(
            case
                when cases.status = 'fee_differs'
                    then cases.fee_amount - cases.expected_fee_amount
                when cases.status = 'charged_back' then -cases.chargeback_amount
                when cases.status = 'refunded' then -cases.refund_amount
                when cases.status = 'provider_fee' then cases.fee_amount
                else cases.expected_amount - cases.settled_amount
            end as decimal(18, 4)
        ) as shortfall_amount,
        cases.currency_code,
        cases.exchange_rate
    from {{ ref('fct_settlement_match') }} as cases
    inner join {{ ref('dim_tender_type') }} as tender_types
        on cases.tender_type_key = tender_types.tender_type_key
    inner join {{ ref('dim_store') }} as stores
        on cases.store_durable_key = stores.store_durable_key and stores.is_current
    where cases.status not in ('matched', 'awaited')
),

valued as (
    select
        settlement_match_key,
        sender,
        provider,
        status,
        is_open,
        business_date,
        settled_date,
        age_days,
        store_durable_key,
        store_name,
        tender_type_code,
        transaction_key,
        receipt_id,
        reference_number,
        expected_amount,
        settled_amount,
        refund_amount,
        chargeback_amount,
        fee_amount,
        expected_fee_amount,
        shortfall_amount,
        currency_code,
        {{ reporting_amount('shortfall_amount', 'exchange_rate') }} as shortfall_amount_reporting
    from exceptions
)

select * from valued
