with

versions as (
    {{ latest_version('settlement_line__line') }}
),

renamed as (
    select
        provider,
        reference_number,
        line_type,
        store_code,
        settled_at,
        currency_code,
        gross_amount,
        fee_amount,
        net_amount,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
