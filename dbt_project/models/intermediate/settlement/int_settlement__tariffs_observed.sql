with

lines as (
    select
        sender,
        provider,
        currency_code,
        line_type,
        coalesce(card_type, '') as card_type,
        abs(gross_amount) as gross_amount,
        case when gross_amount < 0 then -fee_amount else fee_amount end as fee_amount
    from {{ ref('int_settlement__lines_dated') }}
    where line_type in ('payment', 'refund') and gross_amount != 0
),

-- The unit that fees are rounded to is the smallest one the bills are written in.
sizes as (
    select
        sender,
        provider,
        currency_code,
        line_type,
        card_type,
        median(gross_amount) as median_gross_amount,
        cast(
            case
                when bool_and(gross_amount = floor(gross_amount) and fee_amount = floor(fee_amount))
                    then 1
                when
                    bool_and(
                        gross_amount * 100 = floor(gross_amount * 100)
                        and fee_amount * 100 = floor(fee_amount * 100)
                    )
                    then 0.01
                else 0.0001
            end as decimal(18, 4)
        ) as rounding_unit
    from lines
    group by sender, provider, currency_code, line_type, card_type
),

medians as (
    select
        lines.sender,
        lines.provider,
        lines.currency_code,
        lines.line_type,
        lines.card_type,
        min(sizes.rounding_unit) as rounding_unit,
        median(cast(lines.fee_amount as double) / lines.gross_amount) as median_share
    from lines
    inner join sizes
        on
            lines.sender = sizes.sender
            and lines.provider = sizes.provider
            and lines.currency_code = sizes.currency_code
            and lines.line_type = sizes.line_type
            and lines.card_type = sizes.card_type
    where lines.gross_amount >= sizes.median_gross_amount
    group by
        lines.sender, lines.provider, lines.currency_code, lines.line_type, lines.card_type
),

-- Over many lines near the usual rate rounding cancels out; rates are agreed in basis points.
rates as (
    select
        lines.sender,
        lines.provider,
        lines.currency_code,
        lines.line_type,
        lines.card_type,
        min(medians.rounding_unit) as rounding_unit,
        cast(
            round(cast(sum(lines.fee_amount) as double) / sum(lines.gross_amount), 4)
            as decimal(9, 4)
        ) as fee_share
    from lines
    inner join medians
        on
            lines.sender = medians.sender
            and lines.provider = medians.provider
            and lines.currency_code = medians.currency_code
            and lines.line_type = medians.line_type
            and lines.card_type = medians.card_type
    where
        abs(lines.fee_amount - lines.gross_amount * medians.median_share) <= medians.rounding_unit
    group by
        lines.sender, lines.provider, lines.currency_code, lines.line_type, lines.card_type
),

-- Nine of ten lines must follow a rate; where fewer do, the tariff is more than one rate.
observed as (
    select
        lines.sender,
        lines.provider,
        lines.currency_code,
        lines.line_type,
        lines.card_type,
        min(rates.rounding_unit) as rounding_unit,
        min(rates.fee_share) as fee_share,
        count(*) as line_count,
        avg(
            case
                when
                    abs(lines.fee_amount - lines.gross_amount * rates.fee_share)
                    <= rates.rounding_unit / 2
                    then 1.0
                else 0.0
            end
        ) >= 0.9 as is_followed
    from lines
    inner join rates
        on
            lines.sender = rates.sender
            and lines.provider = rates.provider
            and lines.currency_code = rates.currency_code
            and lines.line_type = rates.line_type
            and lines.card_type = rates.card_type
    group by
        lines.sender, lines.provider, lines.currency_code, lines.line_type, lines.card_type
)

select * from observed
