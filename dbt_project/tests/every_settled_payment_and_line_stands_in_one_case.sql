{#- No line of a bill and no payment that a provider settles is lost between till and bank or
    counted twice: each stands in exactly one match case, and the cases hold nothing else. -#}
{{ config(severity='error') }}

with

line_cases as (
    select
        lines.settlement_line_key,
        count(cases.settlement_match_key) as case_count
    from {{ ref('int_settlement__lines_dated') }} as dated
    left join {{ ref('fct_settlement_line') }} as lines
        on dated.settlement_line_key = lines.settlement_line_key
    left join {{ ref('fct_settlement_match') }} as cases
        on lines.settlement_match_key = cases.settlement_match_key
    group by dated.settlement_line_key, lines.settlement_line_key
),

payment_cases as (
    select
        expected.tender_key,
        count(cases.settlement_match_key) as case_count
    from {{ ref('int_settlement__tenders_expected') }} as expected
    left join {{ ref('fct_settlement_match') }} as cases on expected.tender_key = cases.tender_key
    where expected.is_sale
    group by expected.tender_key
),

totals as (
    select
        (select sum(gross_amount) from {{ ref('fct_settlement_line') }}) as line_amount,
        (
            select sum(settled_amount + refund_amount + chargeback_amount)
            from {{ ref('fct_settlement_match') }}
        ) as case_amount,
        (
            select coalesce(sum(gross_amount), 0)
            from {{ ref('fct_settlement_line') }}
            where line_type = 'fee'
        ) as fee_line_amount
),

wrong as (
    select
        'line' as thing,
        settlement_line_key as thing_key
    from line_cases
    where case_count != 1

    union all

    select
        'payment' as thing,
        tender_key as thing_key
    from payment_cases
    where case_count != 1

    union all

    select
        'total' as thing,
        cast(null as bigint) as thing_key
    from totals
    where coalesce(line_amount, 0) != coalesce(case_amount, 0) + fee_line_amount
)

select * from wrong
