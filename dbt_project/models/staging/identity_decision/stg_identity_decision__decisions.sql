with

versions as (
    {{ latest_version('identity_decision__decision', 'decided_at') }}
),

renamed as (
    select
        decision_id,
        decision,
        decided_at,
        decided_by_token,
        reason,
        left_sender,
        left_member_number_token,
        left_email_token,
        left_phone_token,
        left_card_number_token,
        left_card_number_masked,
        left_visitor_id_token,
        left_handle_token,
        right_sender,
        right_member_number_token,
        right_email_token,
        right_phone_token,
        right_card_number_token,
        right_card_number_masked,
        right_visitor_id_token,
        right_handle_token,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
