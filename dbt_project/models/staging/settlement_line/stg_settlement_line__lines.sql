with

versions as (
    {{ latest_version('settlement_line__line') }}
),

renamed as (
    select
        provider,
        reference_number,
        line_type,
        store_code,
        settled_at,
        currency_code,
        gross_amount,
        fee_amount,
        net_amount,
        merchant_id,
        merchant_name,
        terminal_code,
        operator_code_token,
        receipt_id,
        payment_reference,
        transaction_type,
        transacted_at,
        authorisation_code,
        card_number_token,
        card_number_masked,
        card_type,
        card_issuer,
        wallet_account_token,
        entry_method,
        fee_share,
        merchant_discount_amount,
        provider_discount_amount,
        item_text,
        status,
        settlement_batch_id,
        note,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
