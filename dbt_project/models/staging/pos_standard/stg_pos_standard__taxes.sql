with

versions as (
    {{ latest_version('pos_standard__tax', version_by='sent_at') }}
),

renamed as (
    select
        receipt_id,
        tax_number,
        line_number,
        tax_code,
        tax_authority_code,
        base_amount,
        tax_share,
        tax_amount,
        is_included,
        sold_at,
        sent_at,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
