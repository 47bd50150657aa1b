with

versions as (
    {{ latest_version('member__member') }}
),

renamed as (
    select
        member_number_token,
        updated_at,
        joined_at,
        name_token,
        phone_token,
        email_token,
        address_token,
        city,
        country_code,
        birth_date_decade,
        age_band,
        gender,
        income_band,
        household_size,
        tier,
        home_store_code,
        card_number_token,
        card_number_masked,
        status,
        programme_code,
        household_number_token,
        referrer_number_token,
        postcode_token,
        region,
        language_code,
        join_channel_code,
        wallet_account_token,
        social_handle_token,
        expires_on,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
