-- Grain: one row per tender movement of a receipt or order
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='business_date',
        on_schema_change='fail',
        pre_hook="{{ clear_touched_days('int_sales__touched_days') }}",
    )
}}

-- depends_on: {{ ref('int_sales__touched_days') }}

with

converted as (
    select
        tenders.tender_key,
        headers.transaction_key,
        headers.sender,
        headers.receipt_id,
        cast(tenders.tender_number as integer) as tender_number,
        headers.business_date,
        headers.date_key,
        headers.time_of_day_key,
        headers.sold_at,
        headers.store_key,
        headers.store_durable_key,
        headers.terminal_key,
        headers.terminal_durable_key,
        headers.employee_key,
        headers.employee_durable_key,
        headers.customer_key,
        headers.customer_durable_key,
        headers.channel_key,
        coalesce(tender_types.tender_type_key, -3) as tender_type_key,
        {{ member_key('tenders.card_issuer', 'issuers.card_issuer_key') }} as card_issuer_key,
        headers.is_sale,
        tenders.amount,
        tenders.currency_code,
        -- Foreign notes and cards may be taken: their rate is their own.
        cast(
            case
                when tenders.currency_code = headers.currency_code then headers.exchange_rate
                when tenders.currency_code = {{ reporting_currency() }} then 1
                else rates.exchange_rate
            end as decimal(20, 12)
        ) as exchange_rate,
        tenders.card_issuer,
        tenders.entry_method,
        tenders.card_number_token,
        tenders.card_number_masked,
        tenders.authorisation_code,
        tenders.reference_number,
        cast(tenders.instalment_count as integer) as instalment_count,
        tenders.tip_amount,
        tenders.batch_id
    from {{ ref('int_sales__headers_resolved') }} as headers
    inner join {{ ref('int_tender__tenders_unioned') }} as tenders
        on {{ receipt_reference('headers') }} = {{ receipt_reference('tenders') }}
    left join {{ ref('dim_tender_type') }} as tender_types
        on tenders.tender_type_code = tender_types.tender_type_code
    left join {{ ref('dim_card_issuer') }} as issuers
        on {{ card_issuer_code('tenders.card_issuer') }} = issuers.card_issuer_code
    left join {{ ref('int_rates__daily') }} as rates
        on
            tenders.currency_code = rates.currency_code
            and headers.business_date = rates.business_date
    where
        {{ is_of_touched_day('headers.business_date') }}
        and {{ is_of_touched_receipt('tenders.receipt_id') }}
),

valued as (
    select
        tender_key,
        transaction_key,
        sender,
        receipt_id,
        tender_number,
        business_date,
        date_key,
        time_of_day_key,
        sold_at,
        store_key,
        store_durable_key,
        terminal_key,
        terminal_durable_key,
        employee_key,
        employee_durable_key,
        customer_key,
        customer_durable_key,
        channel_key,
        tender_type_key,
        card_issuer_key,
        is_sale,
        amount,
        currency_code,
        exchange_rate,
        {{ reporting_amount('amount', 'exchange_rate') }} as amount_reporting,
        card_issuer,
        entry_method,
        card_number_token,
        card_number_masked,
        authorisation_code,
        reference_number,
        instalment_count,
        tip_amount,
        batch_id
    from converted
    order by business_date
)

select * from valued
