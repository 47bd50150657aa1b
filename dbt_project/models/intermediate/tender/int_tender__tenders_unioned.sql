with

tenders as (
    select
        record_key as tender_key,
        'pos_standard' as template,
        sender,
        receipt_id,
        tender_number,
        tender_type_code,
        amount,
        currency_code,
        card_number_token,
        card_number_masked,
        card_issuer,
        entry_method,
        authorisation_code,
        reference_number,
        instalment_count,
        {{ extra_field('extra_fields', 'tip_amount', 'decimal(18, 4)') }} as tip_amount,
        batch_id
    from {{ ref('stg_pos_standard__tenders') }}

    union all

    select
        record_key as tender_key,
        'web_order' as template,
        sender,
        order_id as receipt_id,
        payment_number as tender_number,
        tender_type_code,
        amount,
        currency_code,
        card_number_token,
        card_number_masked,
        card_issuer,
        cast(null as varchar) as entry_method,
        authorisation_code,
        reference_number,
        instalment_count,
        cast(null as decimal(18, 4)) as tip_amount,
        batch_id
    from {{ ref('stg_web_order__payments') }}
)

select * from tenders
