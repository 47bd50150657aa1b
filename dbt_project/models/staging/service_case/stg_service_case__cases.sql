with

versions as (
    {{ latest_version('service_case__case', version_by='updated_at') }}
),

renamed as (
    select
        case_id,
        opened_at,
        first_answered_at,
        resolved_at,
        closed_at,
        updated_at,
        status,
        channel_code,
        topic_code,
        subtopic_code,
        priority,
        outcome_code,
        is_complaint,
        is_escalated,
        contact_count,
        reopened_count,
        subject,
        text,
        language_code,
        member_number_token,
        email_token,
        phone_token,
        agent_code_token,
        team_code,
        store_code,
        receipt_id,
        product_code,
        compensation_amount,
        currency_code,
        satisfaction_score,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
