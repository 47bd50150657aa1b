with

listed as (
    select
        devices.device_code,
        devices.name,
        devices.is_handheld
    from (
        values
        ('phone', 'Phone', true),
        ('tablet', 'Tablet', true),
        ('desktop', 'Desktop computer', false),
        ('tv', 'Television', false)
    ) as devices (device_code, name, is_handheld)
),

seen as (
    select lower(device) as device_code
    from {{ ref('stg_web_event__events') }}
    where device is not null
    union
    select lower(device) as device_code
    from {{ ref('stg_web_session__sessions') }}
    where device is not null
),

described as (
    select
        coalesce(listed.device_code, seen.device_code) as device_code,
        coalesce(listed.name, seen.device_code) as name,
        listed.is_handheld,
        listed.device_code is null as is_inferred
    from listed
    full outer join seen on listed.device_code = seen.device_code
),

keyed as (
    select
        {{ surrogate_key(["'device'", 'device_code']) }} as device_key,
        device_code,
        name,
        is_handheld,
        is_inferred
    from described
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(
        key_columns=['device_key'],
        name_columns=['name'],
        given={'is_inferred': 'false'}
    ) }}
)

select * from members
