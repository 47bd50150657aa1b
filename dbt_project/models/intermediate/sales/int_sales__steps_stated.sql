with

stated as (
    select
        'pos_standard' as template,
        sender,
        receipt_id,
        step_number,
        step_code,
        line_number,
        started_at,
        duration_seconds,
        has_error,
        has_override,
        operator_code_token,
        reason_code,
        record_key,
        batch_id
    from {{ ref('stg_pos_standard__steps') }}
)

select * from stated
