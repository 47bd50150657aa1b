with

services as (
    select
        lines.record_key as sales_line_key,
        lines.sender,
        lines.receipt_id,
        lines.sold_at,
        lines.product_name,
        {{ extra_field('lines.extra_fields', 'service_code', 'varchar') }} as service_code,
        {{ extra_field('lines.extra_fields', 'practitioner_code_token', 'varchar') }}
            as practitioner_code_token,
        {{ extra_field('lines.extra_fields', 'is_covered', 'boolean') }} as is_covered,
        {{ extra_field('lines.extra_fields', 'insurer_amount', 'decimal(18, 4)') }}
            as insurer_amount,
        {{ extra_field('lines.extra_fields', 'patient_amount', 'decimal(18, 4)') }}
            as patient_amount,
        {{ extra_field('lines.extra_fields', 'service_seconds', 'double') }} as service_seconds
    from {{ ref('stg_pos_standard__lines') }} as lines
    where lines.extra_fields is not null
),

-- A service has a code of its own; what the clinic's counter sells beside has none.
typed as (
    select
        sales_line_key,
        sender,
        receipt_id,
        sold_at,
        product_name,
        service_code,
        practitioner_code_token,
        is_covered,
        insurer_amount,
        patient_amount,
        service_seconds
    from services
    where service_code is not null
)

select * from typed
