with

versions as (
    {{ latest_version('survey_response__answer', version_by='updated_at') }}
),

renamed as (
    select
        response_id,
        question_code,
        survey_code,
        question_type,
        question_text,
        score,
        score_minimum,
        score_maximum,
        choice_code,
        comment,
        language_code,
        channel_code,
        member_number_token,
        email_token,
        phone_token,
        store_code,
        receipt_id,
        product_code,
        operator_code_token,
        invited_at,
        answered_at,
        updated_at,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
