with

referenced as (
    select
        settlement_line_key,
        tender_key,
        match_rule
    from {{ ref('int_settlement__lines_referenced') }}
),

-- What has no number in common must agree in the amount as well.
lines as (
    select
        dated.settlement_line_key,
        dated.sender,
        dated.provider_kind,
        dated.currency_code,
        dated.gross_amount as amount,
        dated.authorisation_code,
        dated.receipt_id,
        dated.settled_at
    from {{ ref('int_settlement__lines_dated') }} as dated
    left join referenced on dated.settlement_line_key = referenced.settlement_line_key
    where referenced.settlement_line_key is null and dated.line_type in ('payment', 'refund')
),

tenders as (
    select
        expected.tender_key,
        expected.sender,
        expected.provider_kind,
        expected.currency_code,
        expected.amount,
        expected.authorisation_code,
        expected.receipt_id,
        expected.sold_at
    from {{ ref('int_settlement__tenders_expected') }} as expected
    left join referenced on expected.tender_key = referenced.tender_key
    where referenced.tender_key is null
),
{%- for rule, column, earlier in [
    ('authorised', 'authorisation_code', 'referenced'),
    ('receipted', 'receipt_id', 'authorised'),
] %}

lines_{{ rule }} as (
    select
        lines.settlement_line_key,
        lines.sender,
        lines.provider_kind,
        lines.currency_code,
        lines.amount,
        lines.{{ column }},
        row_number() over (
            partition by
                lines.sender, lines.provider_kind, lines.currency_code, lines.amount,
                lines.{{ column }}
            order by lines.settled_at, lines.settlement_line_key
        ) as place
    from lines
    left join {{ earlier }} on lines.settlement_line_key = {{ earlier }}.settlement_line_key
    where
        lines.{{ column }} is not null
        and {{ earlier }}.settlement_line_key is null
),

tenders_{{ rule }} as (
    select
        tenders.tender_key,
        tenders.sender,
        tenders.provider_kind,
        tenders.currency_code,
        tenders.amount,
        tenders.{{ column }},
        row_number() over (
            partition by
                tenders.sender, tenders.provider_kind, tenders.currency_code, tenders.amount,
                tenders.{{ column }}
            order by tenders.sold_at, tenders.tender_key
        ) as place
    from tenders
    left join {{ earlier }} on tenders.tender_key = {{ earlier }}.tender_key
    where
        tenders.{{ column }} is not null
        and {{ earlier }}.tender_key is null
),

{{ rule }} as (
    select
        lines_{{ rule }}.settlement_line_key,
        tenders_{{ rule }}.tender_key,
        '{{ column }}' as match_rule
    from lines_{{ rule }}
    inner join tenders_{{ rule }}
        on
            lines_{{ rule }}.sender = tenders_{{ rule }}.sender
            and lines_{{ rule }}.provider_kind = tenders_{{ rule }}.provider_kind
            and lines_{{ rule }}.currency_code = tenders_{{ rule }}.currency_code
            and lines_{{ rule }}.amount = tenders_{{ rule }}.amount
            and lines_{{ rule }}.{{ column }} = tenders_{{ rule }}.{{ column }}
            and lines_{{ rule }}.place = tenders_{{ rule }}.place
),
{%- endfor %}

paired as (
    select
        settlement_line_key,
        tender_key,
        match_rule
    from referenced

    union all

    select
        settlement_line_key,
        tender_key,
        match_rule
    from authorised

    union all

    select
        settlement_line_key,
        tender_key,
        match_rule
    from receipted
)

select * from paired
