with

versions as (
    {{ latest_version('pos_standard__tender', version_by='sent_at') }}
),

renamed as (
    select
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
        sold_at,
        sent_at,
        transaction_type,
        card_type,
        card_scheme,
        wallet_account_token,
        merchant_name,
        merchant_id,
        payment_terminal_code,
        instalment_count,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
