with

lines as (
    select
        settlement_match_key,
        settlement_line_key,
        sender,
        provider,
        reference_number,
        line_type,
        tender_key,
        match_rule,
        business_date,
        store_key,
        store_durable_key,
        currency_code,
        gross_amount,
        fee_amount,
        expected_fee_amount,
        is_fee_as_expected,
        net_amount,
        batch_id
    from {{ ref('fct_settlement_line') }}
),

summed as (
    select
        settlement_match_key,
        min(sender) as sender,
        min(provider) as provider,
        min_by(reference_number, settlement_line_key) as reference_number,
        max(case when tender_key >= 0 then tender_key end) as tender_key,
        min_by(match_rule, case when match_rule is not null then settlement_line_key end)
            as match_rule,
        min(business_date) as settled_date,
        min_by(store_key, settlement_line_key) as store_key,
        min_by(store_durable_key, settlement_line_key) as store_durable_key,
        min(currency_code) as currency_code,
        count(distinct currency_code) as currency_count,
        max(case when line_type = 'fee' then 0 else 1 end) = 0 as is_fee_alone,
        max(case when line_type = 'chargeback' then 1 else 0 end) = 1 as is_charged_back,
        max(case when is_fee_as_expected = false then 1 else 0 end) = 0 as is_fee_as_expected,
        cast(count(*) as integer) as settlement_line_count,
        sum(case when line_type = 'payment' then gross_amount else 0 end) as payment_amount,
        sum(case when line_type = 'refund' then gross_amount else 0 end) as refund_amount,
        sum(case when line_type = 'chargeback' then gross_amount else 0 end)
            as chargeback_amount,
        sum(fee_amount) as fee_amount,
        sum(expected_fee_amount) as expected_fee_amount,
        sum(net_amount) as paid_amount,
        max(batch_id) as batch_id
    from lines
    group by settlement_match_key
)

select * from summed
