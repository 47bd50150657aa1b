with

lines as (
    select
        settlement_line_key,
        sender,
        provider_kind,
        case line_type when 'payment' then 1 when 'refund' then -1 end as direction,
        reference_number,
        payment_reference,
        settled_at
    from {{ ref('int_settlement__lines_dated') }}
    where line_type in ('payment', 'refund')
),

tenders as (
    select
        tender_key,
        sender,
        provider_kind,
        case when amount > 0 then 1 else -1 end as direction,
        reference_number,
        row_number() over (
            partition by
                sender, provider_kind, reference_number, case when amount > 0 then 1 else -1 end
            order by sold_at, tender_key
        ) as tender_place
    from {{ ref('int_settlement__tenders_expected') }}
    where reference_number is not null
),

-- A till may know a refund by its own number or by that of the payment it undoes.
numbers as (
    select
        settlement_line_key,
        sender,
        provider_kind,
        direction,
        reference_number,
        1 as preference,
        settled_at
    from lines

    union all

    select
        settlement_line_key,
        sender,
        provider_kind,
        direction,
        payment_reference as reference_number,
        2 as preference,
        settled_at
    from lines
    where direction = -1 and payment_reference is not null
),

placed as (
    select
        settlement_line_key,
        sender,
        provider_kind,
        direction,
        reference_number,
        preference,
        row_number() over (
            partition by sender, provider_kind, reference_number, direction, preference
            order by settled_at, settlement_line_key
        ) as line_place
    from numbers
),

-- Several under one number are paired in the order in which they happened.
paired as (
    select
        placed.settlement_line_key,
        tenders.tender_key,
        placed.preference
    from placed
    inner join tenders
        on
            placed.sender = tenders.sender
            and placed.provider_kind = tenders.provider_kind
            and placed.reference_number = tenders.reference_number
            and placed.direction = tenders.direction
            and placed.line_place = tenders.tender_place
),

one_a_line as (
    select
        settlement_line_key,
        tender_key,
        preference
    from paired
    qualify row_number() over (
        partition by settlement_line_key order by preference, tender_key
    ) = 1
),

one_a_tender as (
    select
        settlement_line_key,
        tender_key,
        case preference when 1 then 'reference' else 'payment_reference' end as match_rule
    from one_a_line
    qualify row_number() over (
        partition by tender_key order by preference, settlement_line_key
    ) = 1
)

select * from one_a_tender
