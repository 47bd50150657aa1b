with

typed as (
    select
        receipts.sender,
        receipts.receipt_id,
        {{ extra_field('receipts.extra_fields', 'patient_reference_token', 'varchar') }}
            as patient_reference_token,
        {{ extra_field('receipts.extra_fields', 'visit_id_token', 'varchar') }} as visit_id_token,
        {{ extra_field('receipts.extra_fields', 'visit_type', 'varchar') }} as visit_type,
        {{ extra_field('receipts.extra_fields', 'department_code', 'varchar') }} as department_code,
        {{ extra_field('receipts.extra_fields', 'practitioner_code_token', 'varchar') }}
            as practitioner_code_token,
        {{ extra_field('receipts.extra_fields', 'insurer_code', 'varchar') }} as insurer_code,
        {{ extra_field('receipts.extra_fields', 'arrived_at', type_timestamp_with_zone()) }}
            as arrived_at,
        {{ extra_field('receipts.extra_fields', 'seen_at', type_timestamp_with_zone()) }}
            as seen_at
    from {{ ref('stg_pos_standard__receipts') }} as receipts
    where receipts.extra_fields is not null
)

select * from typed
