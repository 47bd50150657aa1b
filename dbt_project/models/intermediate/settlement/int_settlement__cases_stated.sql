with

tenders as (
    select
        tender_key,
        transaction_key,
        sender,
        provider,
        tender_type_key,
        store_key,
        store_durable_key,
        business_date,
        is_sale,
        amount,
        expected_amount,
        currency_code,
        receipt_id,
        reference_number,
        batch_id
    from {{ ref('int_settlement__tenders_expected') }}
),

-- How old a case is shows against the newest bill of the provider, never against the clock.
newest as (
    select
        sender,
        provider,
        {{ newest_day('business_date') }} as newest_settled_date
    from {{ ref('fct_settlement_line') }}
    group by sender, provider
),

joined as (
    select
        coalesce(
            cases.settlement_match_key,
            {{ surrogate_key(["'settlement_match_of_tender'", 'tenders.tender_key']) }}
        ) as settlement_match_key,
        coalesce(cases.sender, tenders.sender) as sender,
        coalesce(cases.provider, tenders.provider) as provider,
        cases.match_rule,
        tenders.tender_key,
        tenders.transaction_key,
        tenders.tender_type_key,
        coalesce(tenders.store_key, cases.store_key) as store_key,
        coalesce(tenders.store_durable_key, cases.store_durable_key) as store_durable_key,
        coalesce(tenders.business_date, cases.settled_date) as business_date,
        cases.settled_date,
        coalesce(tenders.reference_number, cases.reference_number) as reference_number,
        tenders.receipt_id,
        coalesce(tenders.currency_code, cases.currency_code) as currency_code,
        coalesce(cases.settlement_line_count, 0) as settlement_line_count,
        coalesce(cases.is_fee_alone, false) as is_fee_alone,
        coalesce(cases.is_charged_back, false) as is_charged_back,
        coalesce(cases.is_fee_as_expected, true) as is_fee_as_expected,
        coalesce(
            cases.currency_count > 1 or tenders.currency_code != cases.currency_code, false
        ) as is_of_several_currencies,
        coalesce(tenders.expected_amount, 0) as expected_amount,
        -- A refund of the till's own is settled by refund lines; any other one undoes a payment.
        coalesce(
            case when tenders.amount < 0 then cases.refund_amount else cases.payment_amount end, 0
        ) as settled_amount,
        coalesce(
            case when tenders.amount < 0 then cases.payment_amount else cases.refund_amount end, 0
        ) as refund_amount,
        coalesce(cases.chargeback_amount, 0) as chargeback_amount,
        coalesce(cases.fee_amount, 0) as fee_amount,
        cases.expected_fee_amount,
        coalesce(cases.paid_amount, 0) as paid_amount,
        greatest(coalesce(cases.batch_id, 0), coalesce(tenders.batch_id, 0)) as batch_id
    from tenders
    full outer join {{ ref('int_settlement__cases_summed') }} as cases
        on tenders.tender_key = cases.tender_key
    where tenders.tender_key is null or tenders.is_sale or cases.tender_key is not null
),

stated as (
    select
        joined.settlement_match_key,
        joined.sender,
        joined.provider,
        case
            when joined.tender_key is null and joined.is_fee_alone then 'provider_fee'
            when joined.tender_key is null then 'missing_at_till'
            when
                joined.settlement_line_count = 0
                and joined.business_date >= newest.newest_settled_date
                then 'awaited'
            when joined.settlement_line_count = 0 then 'missing_in_bill'
            when joined.is_charged_back then 'charged_back'
            when joined.refund_amount != 0 then 'refunded'
            when
                joined.is_of_several_currencies
                or joined.settled_amount != joined.expected_amount
                then 'amount_differs'
            when not joined.is_fee_as_expected then 'fee_differs'
            else 'matched'
        end as status,
        joined.match_rule,
        joined.tender_key,
        joined.transaction_key,
        joined.tender_type_key,
        joined.store_key,
        joined.store_durable_key,
        joined.business_date,
        joined.settled_date,
        {{ days_between('joined.business_date', 'joined.settled_date') }} as settled_after_days,
        greatest(
            {{ days_between('joined.business_date', 'newest.newest_settled_date') }}, 0
        ) as age_days,
        joined.reference_number,
        joined.receipt_id,
        joined.currency_code,
        joined.settlement_line_count,
        joined.expected_amount,
        joined.settled_amount,
        joined.refund_amount,
        joined.chargeback_amount,
        joined.fee_amount,
        joined.expected_fee_amount,
        joined.paid_amount,
        joined.batch_id
    from joined
    inner join newest
        on joined.sender = newest.sender and joined.provider = newest.provider
)

select * from stated
