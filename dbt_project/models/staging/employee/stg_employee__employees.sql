with

versions as (
    {{ latest_version('employee__employee') }}
),

renamed as (
    select
        employee_number_token,
        effective_at,
        operator_code_token,
        supervisor_number_token,
        store_code,
        department_code,
        role_code,
        employment_type,
        weekly_hours,
        hourly_cost_amount,
        currency_code,
        hired_on,
        left_on,
        status,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
