with

versions as (
    {{ latest_version('prepaid_entry__entry', version_by='sent_at') }}
),

renamed as (
    select
        entry_id,
        account_id_token,
        card_number_token,
        card_number_masked,
        entry_type,
        amount,
        balance_after_amount,
        currency_code,
        booked_at,
        sent_at,
        card_programme,
        funding,
        member_number_token,
        store_code,
        terminal_code,
        receipt_id,
        original_entry_id,
        authorisation_code,
        reference_number,
        expires_on,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
