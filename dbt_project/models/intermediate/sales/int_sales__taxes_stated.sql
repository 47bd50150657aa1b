with

stated as (
    select
        'pos_standard' as template,
        taxes.sender,
        taxes.receipt_id,
        cast(taxes.tax_number as integer) as tax_number,
        cast(taxes.line_number as integer) as line_number,
        {{ member_key('taxes.tax_code', 'tax_classes.tax_class_key') }} as tax_class_key,
        taxes.tax_authority_code,
        taxes.base_amount,
        taxes.tax_share,
        taxes.tax_amount,
        taxes.is_included,
        taxes.record_key as tax_key,
        taxes.batch_id
    from {{ ref('stg_pos_standard__taxes') }} as taxes
    left join {{ ref('dim_tax_class') }} as tax_classes
        on taxes.sender = tax_classes.sender and taxes.tax_code = tax_classes.tax_code
)

select * from stated
