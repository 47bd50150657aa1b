with

versions as (
    {{ latest_version('consent__change') }}
),

renamed as (
    select
        member_number_token,
        purpose,
        is_granted,
        legal_basis,
        source,
        changed_at,
        wording_version,
        expires_at,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
