-- Grain: one row per line of an acquirer, Alipay or WeChat bill

with

lines as (
    select
        dated.settlement_line_key,
        matched.settlement_match_key,
        dated.sender,
        dated.provider,
        dated.reference_number,
        dated.line_type,
        dated.settlement_batch_code,
        dated.business_date,
        {{ date_key('dated.business_date') }} as date_key,
        dated.settled_at,
        dated.transacted_at,
        dated.store_key,
        dated.store_durable_key,
        coalesce(matched.tender_key, case when dated.line_type = 'fee' then -2 else -1 end)
            as tender_key,
        matched.match_rule,
        dated.receipt_id,
        dated.payment_reference,
        dated.authorisation_code,
        dated.gross_amount,
        dated.fee_amount,
        dated.net_amount,
        dated.merchant_discount_amount,
        tariffs.rounding_unit,
        -- A rate the bill states beats the one it is seen to follow.
        dated.gross_amount * coalesce(
            cast(dated.fee_share as decimal(9, 6)),
            case when tariffs.is_followed then cast(tariffs.fee_share as decimal(9, 6)) end
        ) as exact_fee_amount,
        dated.currency_code,
        cast(
            case
                when dated.currency_code = {{ reporting_currency() }} then 1
                else rates.exchange_rate
            end as decimal(20, 12)
        ) as exchange_rate,
        dated.batch_id
    from {{ ref('int_settlement__lines_dated') }} as dated
    inner join {{ ref('int_settlement__lines_matched') }} as matched
        on dated.settlement_line_key = matched.settlement_line_key
    left join {{ ref('int_settlement__tariffs_observed') }} as tariffs
        on
            dated.sender = tariffs.sender
            and dated.provider = tariffs.provider
            and dated.currency_code = tariffs.currency_code
            and dated.line_type = tariffs.line_type
            and coalesce(dated.card_type, '') = tariffs.card_type
    left join {{ ref('int_rates__daily') }} as rates
        on
            dated.currency_code = rates.currency_code
            and dated.business_date = rates.business_date
),

valued as (
    select
        settlement_line_key,
        settlement_match_key,
        sender,
        provider,
        reference_number,
        line_type,
        settlement_batch_code,
        business_date,
        date_key,
        settled_at,
        transacted_at,
        store_key,
        store_durable_key,
        tender_key,
        match_rule,
        receipt_id,
        payment_reference,
        authorisation_code,
        gross_amount,
        fee_amount,
        cast(round(exact_fee_amount / rounding_unit) * rounding_unit as decimal(18, 4))
            as expected_fee_amount,
        abs(fee_amount - exact_fee_amount) <= rounding_unit / 2 as is_fee_as_expected,
        net_amount,
        merchant_discount_amount,
        currency_code,
        exchange_rate,
        {{ reporting_amount('gross_amount', 'exchange_rate') }} as gross_amount_reporting,
        {{ reporting_amount('fee_amount', 'exchange_rate') }} as fee_amount_reporting,
        {{ reporting_amount('net_amount', 'exchange_rate') }} as net_amount_reporting,
        batch_id
    from lines
)

select * from valued
