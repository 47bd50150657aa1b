with

versions as (
    {{ latest_version('card_transaction__transaction', version_by='updated_at') }}
),

renamed as (
    select
        transaction_id,
        transacted_at,
        transaction_type,
        amount,
        currency_code,
        refunded_amount,
        tip_amount,
        fee_amount,
        card_number_token,
        card_number_masked,
        card_type,
        card_scheme,
        card_issuer,
        tender_type_code,
        wallet_account_token,
        merchant_name,
        merchant_id,
        merchant_category_code,
        counterparty_name_token,
        terminal_code,
        store_code,
        receipt_id,
        authorisation_code,
        reference_number,
        original_reference_number,
        trace_number,
        terminal_batch_number,
        is_approved,
        response_code,
        entry_method,
        authentication_method,
        instalment_count,
        item_text,
        category,
        status,
        settled_on,
        is_fraud,
        fraud_scenario_code,
        updated_at,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
