with

versions as (
    {{ latest_version('pos_standard__session', 'sent_at') }}
),

renamed as (
    select
        session_id,
        store_code,
        terminal_code,
        operator_code_token,
        opened_at,
        closed_at,
        float_amount,
        drop_amount,
        counted_amount,
        expected_amount,
        currency_code,
        reason_code,
        sent_at,
        note,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
