with

burned as (
    select
        sender,
        transaction_key,
        -sum(points) as points
    from {{ ref('fct_points_ledger') }}
    where entry_type = 'burn' and transaction_key >= 0
    group by sender, transaction_key
),

paid as (
    select
        tenders.transaction_key,
        sum(tenders.amount_reporting) as amount_reporting
    from {{ ref('fct_tender') }} as tenders
    inner join {{ ref('dim_tender_type') }} as tender_types
        on
            tenders.tender_type_key = tender_types.tender_type_key
            and tender_types.tender_type_code = 'points'
    group by tenders.transaction_key
),

-- What a point is worth shows where members pay with it.
observed as (
    select
        burned.sender,
        sum(burned.points) as points,
        sum(paid.amount_reporting) as amount_reporting,
        case
            when sum(burned.points) > 0
                then cast(sum(paid.amount_reporting) as double) / cast(sum(burned.points) as double)
        end as point_value_reporting
    from burned
    inner join paid on burned.transaction_key = paid.transaction_key
    group by burned.sender
)

select * from observed
