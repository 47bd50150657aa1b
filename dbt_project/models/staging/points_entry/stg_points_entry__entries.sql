with

versions as (
    {{ latest_version('points_entry__entry') }}
),

renamed as (
    select
        entry_id,
        member_number_token,
        entry_type,
        points,
        receipt_id,
        booked_at,
        original_entry_id,
        balance_after_points,
        expires_on,
        store_code,
        promotion_code,
        reason_code,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
