{#-
    What the tills expect of a payout, less fees, discounts borne and what was taken or charged
    back, is what the provider pays. Judged where every line of the payout has its payment and none
    differs in amount; other payouts are in settlement_exceptions line by line.
-#}
{{ config(severity='warn') }}

with

lines as (
    select
        lines.sender,
        lines.settlement_batch_code,
        lines.settlement_match_key,
        lines.line_type,
        cases.status,
        cases.expected_amount,
        lines.gross_amount,
        lines.fee_amount,
        lines.merchant_discount_amount,
        lines.net_amount,
        lines.line_type = 'chargeback' or lines.match_rule = 'payment_named' as is_taken_back
    from {{ ref('fct_settlement_line') }} as lines
    inner join {{ ref('fct_settlement_match') }} as cases
        on lines.settlement_match_key = cases.settlement_match_key
),

-- One payment may be settled in parts: it is expected once, and in one payout.
payments as (
    select
        sender,
        settlement_batch_code,
        settlement_match_key,
        min(expected_amount) as expected_amount
    from lines
    where not is_taken_back
    group by sender, settlement_batch_code, settlement_match_key
),

expected as (
    select
        sender,
        settlement_batch_code,
        sum(expected_amount) as expected_amount
    from payments
    group by sender, settlement_batch_code
),

paid as (
    select
        sender,
        settlement_batch_code,
        sum(case when is_taken_back then gross_amount else 0 end) as taken_back_amount,
        sum(fee_amount) as fee_amount,
        sum(merchant_discount_amount) as merchant_discount_amount,
        sum(net_amount) as net_amount
    from lines
    group by sender, settlement_batch_code
    having
        max(
            case
                when status in ('matched', 'fee_differs', 'charged_back', 'refunded') then 0 else 1
            end
        ) = 0
),

differing as (
    select
        paid.sender,
        paid.settlement_batch_code,
        coalesce(expected.expected_amount, 0) as expected_amount,
        paid.taken_back_amount,
        paid.fee_amount,
        paid.merchant_discount_amount,
        paid.net_amount
    from paid
    left join expected
        on
            paid.sender = expected.sender
            and paid.settlement_batch_code = expected.settlement_batch_code
    where
        abs(
            coalesce(expected.expected_amount, 0) + paid.taken_back_amount - paid.fee_amount
            - paid.merchant_discount_amount - paid.net_amount
        ) >= 0.005
)

select * from differing
