with

versions as (
    {{ latest_version('exchange_rate__rate', version_by='updated_at') }}
),

renamed as (
    select
        base_currency_code,
        quote_currency_code,
        rate_date,
        rate,
        updated_at,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
