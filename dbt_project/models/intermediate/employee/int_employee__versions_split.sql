with

-- Tills know an employee by the operator's number; who never works one keeps the personnel number.
employees as (
    select
        employees.sender,
        coalesce(employees.operator_code_token, employees.employee_number_token)
            as employee_token,
        employees.effective_at as stated_at,
        employees.employee_number_token,
        employees.store_code,
        employees.department_code,
        employees.role_code,
        employees.employment_type,
        employees.weekly_hours,
        employees.status,
        employees.hired_on,
        employees.left_on,
        employees.batch_id,
        {{ is_conflicted('employee__employee', 'employees') }} as is_conflicted
    from {{ ref('stg_employee__employees') }} as employees
    -- A till number that two people are given at one moment is nobody's in particular.
    qualify row_number() over (
        partition by
            employees.sender,
            coalesce(employees.operator_code_token, employees.employee_number_token),
            employees.effective_at
        order by employees.employee_number_token
    ) = 1
),

versions as (
    {{ version_intervals(
        'employees',
        ['sender', 'employee_token'],
        [
            'employee_number_token', 'store_code', 'department_code', 'role_code',
            'employment_type', 'weekly_hours', 'status'
        ]
    ) }}
),

described as (
    select
        versions.sender,
        versions.employee_token,
        versions.version_number,
        employees.employee_number_token,
        employees.store_code,
        employees.department_code,
        employees.role_code,
        employees.employment_type,
        employees.weekly_hours,
        employees.status,
        employees.hired_on as hired_date,
        employees.left_on as left_date,
        versions.changed_at,
        versions.valid_from_at,
        versions.valid_to_at,
        versions.is_current,
        versions.changed_batch_id
    from versions
    inner join employees
        on
            versions.sender = employees.sender
            and versions.employee_token = employees.employee_token
            and versions.last_stated_at = employees.stated_at
)

select * from described
