with

versions as (
    {{ latest_version('pos_standard__receipt', version_by='sent_at') }}
),

renamed as (
    select
        receipt_id,
        receipt_type,
        store_code,
        terminal_code,
        operator_code_token,
        member_number_token,
        sold_at,
        sent_at,
        currency_code,
        line_count,
        total_amount,
        rounding_amount,
        guest_count,
        duration_seconds,
        business_date,
        started_at,
        customer_account_token,
        household_number_token,
        fiscal_number,
        reason_code,
        note,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
