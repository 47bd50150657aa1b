with

versions as (
    {{ latest_version('web_order__payment', version_by='updated_at') }}
),

renamed as (
    select
        order_id,
        payment_number,
        tender_type_code,
        amount,
        currency_code,
        card_number_token,
        card_number_masked,
        card_issuer,
        authorisation_code,
        reference_number,
        instalment_count,
        ordered_at,
        updated_at,
        transaction_type,
        card_type,
        card_scheme,
        wallet_account_token,
        paid_at,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
