-- Grain: one row per payment that is made in instalments

with

-- The first instalments are equal to the minor unit; the last one takes what is left.
plans as (
    select
        tenders.tender_key,
        tenders.transaction_key,
        tenders.sender,
        tenders.receipt_id,
        tenders.business_date,
        tenders.date_key,
        tenders.store_durable_key,
        tenders.customer_durable_key,
        tender_types.tender_type_code,
        tenders.card_issuer,
        tenders.instalment_count,
        tenders.amount,
        cast(
            floor(tenders.amount * 100 / tenders.instalment_count) / 100 as decimal(18, 4)
        ) as instalment_amount,
        cast(
            tenders.amount
            - floor(tenders.amount * 100 / tenders.instalment_count) / 100
            * (tenders.instalment_count - 1) as decimal(18, 4)
        ) as last_instalment_amount,
        cast(tenders.business_date + to_months(tenders.instalment_count) as date)
            as last_due_date,
        tenders.currency_code,
        tenders.amount_reporting
    from {{ ref('fct_tender') }} as tenders
    inner join {{ ref('dim_tender_type') }} as tender_types
        on tenders.tender_type_key = tender_types.tender_type_key
    where tenders.is_sale and tenders.amount > 0 and tenders.instalment_count > 1
)

select * from plans
