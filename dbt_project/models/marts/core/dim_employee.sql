with

versions as (
    select
        sender,
        employee_token,
        employee_number_token,
        store_code,
        department_code,
        role_code,
        employment_type,
        weekly_hours,
        status,
        hired_date,
        left_date,
        changed_at,
        valid_from_at,
        valid_to_at,
        is_current,
        changed_batch_id
    from {{ ref('int_employee__versions_split') }}
),

collected as (
    select
        sender,
        employee_token
    from {{ ref('int_employee__codes_collected') }}
),

-- A number that only facts know has one version, completed under the same key when staff data come.
described as (
    select
        coalesce(versions.sender, collected.sender) as sender,
        coalesce(versions.employee_token, collected.employee_token) as employee_token,
        versions.employee_number_token,
        versions.store_code,
        versions.department_code,
        versions.role_code,
        versions.employment_type,
        versions.weekly_hours,
        versions.status,
        versions.hired_date,
        versions.left_date,
        versions.changed_at,
        coalesce(versions.valid_from_at, {{ beginning_of_time() }}) as valid_from_at,
        coalesce(versions.valid_to_at, {{ end_of_time() }}) as valid_to_at,
        coalesce(versions.is_current, true) as is_current,
        versions.employee_token is null as is_inferred,
        coalesce(versions.changed_batch_id, 0) as changed_batch_id
    from versions
    full outer join collected
        on
            versions.sender = collected.sender
            and versions.employee_token = collected.employee_token
),

keyed as (
    select
        {{ surrogate_key(["'employee_version'", 'sender', 'employee_token', 'changed_at']) }}
            as employee_key,
        {{ surrogate_key(["'employee'", 'sender', 'employee_token']) }} as employee_durable_key,
        sender,
        employee_token,
        employee_number_token,
        coalesce(role_code, 'unknown') as role_code,
        store_code,
        {{ member_key('store_code', surrogate_key(["'store'", 'sender', 'store_code'])) }}
            as store_durable_key,
        department_code,
        employment_type,
        weekly_hours,
        status,
        hired_date,
        left_date,
        valid_from_at,
        valid_to_at,
        is_current,
        is_inferred,
        changed_batch_id
    from described
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(
        key_columns=['employee_key', 'employee_durable_key', 'store_durable_key'],
        name_columns=['role_code'],
        given={
            'valid_from_at': beginning_of_time(),
            'valid_to_at': end_of_time(),
            'is_current': 'true',
            'is_inferred': 'false',
            'changed_batch_id': '0',
        }
    ) }}
)

select * from members
