with

versions as (
    {{ latest_version('pos_standard__step') }}
),

renamed as (
    select
        receipt_id,
        step_number,
        step_code,
        started_at,
        duration_seconds,
        has_error,
        has_override,
        line_number,
        operator_code_token,
        reason_code,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
