with

tenders as (
    select
        tenders.customer_durable_key,
        tenders.transaction_key,
        tenders.amount_reporting,
        types.name as tender_type,
        types.family
    from {{ ref('fct_tender') }} as tenders
    inner join {{ ref('dim_tender_type') }} as types
        on tenders.tender_type_key = types.tender_type_key
    where tenders.is_sale and tenders.customer_durable_key >= 0
),

totals as (
    select
        customer_durable_key,
        count(distinct tender_type) as tender_type_count,
        cast(
            sum(case when family = 'cash' then amount_reporting else 0 end)
            / nullif(sum(amount_reporting), 0)
            as double
        ) as cash_share
    from tenders
    group by customer_durable_key
),

favourites as (
    select
        customer_durable_key,
        tender_type
    from tenders
    group by customer_durable_key, tender_type
    qualify row_number() over (
        partition by customer_durable_key
        order by count(distinct transaction_key) desc, tender_type asc
    ) = 1
),

summarised as (
    select
        totals.customer_durable_key,
        totals.tender_type_count,
        totals.cash_share,
        favourites.tender_type as favourite_tender_type
    from totals
    inner join favourites on totals.customer_durable_key = favourites.customer_durable_key
)

select * from summarised
