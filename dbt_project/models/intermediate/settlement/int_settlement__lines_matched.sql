{{ config(materialized='table') }}

with

lines as (
    select
        settlement_line_key,
        sender,
        provider,
        provider_kind,
        line_type,
        reference_number,
        coalesce(payment_reference, reference_number) as root_reference
    from {{ ref('int_settlement__lines_dated') }}
),

paired as (
    select
        settlement_line_key,
        tender_key,
        match_rule
    from {{ ref('int_settlement__lines_paired') }}
),

-- What is taken back or charged belongs to the payment it names,
-- which is known by its own line in the bills, or else by the number the till kept of it.
payments as (
    select
        lines.sender,
        lines.provider_kind,
        lines.reference_number,
        paired.tender_key,
        1 as preference
    from lines
    inner join paired on lines.settlement_line_key = paired.settlement_line_key
    where lines.line_type = 'payment'

    union all

    select
        sender,
        provider_kind,
        reference_number,
        tender_key,
        2 as preference
    from {{ ref('int_settlement__tenders_expected') }}
    where reference_number is not null and amount > 0
),

payment_numbers as (
    select
        sender,
        provider_kind,
        reference_number,
        tender_key
    from payments
    qualify row_number() over (
        partition by sender, provider_kind, reference_number order by preference, tender_key
    ) = 1
),

-- One row per line: lines without any tender share the case of the payment they name.
matched as (
    select
        lines.settlement_line_key,
        coalesce(
            paired.tender_key,
            case when lines.line_type != 'payment' then payment_numbers.tender_key end
        ) as tender_key,
        case
            when paired.tender_key is not null then paired.match_rule
            when lines.line_type != 'payment' and payment_numbers.tender_key is not null
                then 'payment_named'
        end as match_rule,
        {{ surrogate_key([
            "'settlement_match_of_line'",
            'lines.sender',
            'lines.provider',
            'lines.root_reference',
        ]) }} as line_match_key
    from lines
    left join paired on lines.settlement_line_key = paired.settlement_line_key
    left join payment_numbers
        on
            lines.sender = payment_numbers.sender
            and lines.provider_kind = payment_numbers.provider_kind
            and lines.root_reference = payment_numbers.reference_number
),

keyed as (
    select
        settlement_line_key,
        tender_key,
        match_rule,
        case
            when tender_key is null then line_match_key
            else {{ surrogate_key(["'settlement_match_of_tender'", 'tender_key']) }}
        end as settlement_match_key
    from matched
)

select * from keyed
