with

versions as (
    select
        sender,
        store_code,
        name,
        banner,
        store_type,
        format,
        industry,
        region,
        city,
        country_code,
        time_zone,
        currency_code,
        cut_off_hour,
        opened_date,
        closed_date,
        changed_at,
        valid_from_at,
        valid_to_at,
        is_current,
        changed_batch_id
    from {{ ref('int_store__versions_split') }}
),

collected as (
    select
        sender,
        store_code
    from {{ ref('int_store__codes_collected') }}
),

-- A code that only facts know has one version, completed under the same key when its thing comes.
described as (
    select
        coalesce(versions.sender, collected.sender) as sender,
        coalesce(versions.store_code, collected.store_code) as store_code,
        coalesce(versions.name, versions.store_code, collected.store_code) as name,
        versions.banner,
        versions.store_type,
        versions.format,
        versions.industry,
        versions.region,
        versions.city,
        versions.country_code,
        coalesce(versions.time_zone, 'UTC') as time_zone,
        versions.currency_code,
        coalesce(versions.cut_off_hour, 0) as cut_off_hour,
        versions.opened_date,
        versions.closed_date,
        versions.changed_at,
        coalesce(versions.valid_from_at, {{ beginning_of_time() }}) as valid_from_at,
        coalesce(versions.valid_to_at, {{ end_of_time() }}) as valid_to_at,
        coalesce(versions.is_current, true) as is_current,
        versions.store_code is null as is_inferred,
        coalesce(versions.changed_batch_id, 0) as changed_batch_id
    from versions
    full outer join collected
        on versions.sender = collected.sender and versions.store_code = collected.store_code
),

keyed as (
    select
        {{ surrogate_key(["'store_version'", 'sender', 'store_code', 'changed_at']) }}
            as store_key,
        {{ surrogate_key(["'store'", 'sender', 'store_code']) }} as store_durable_key,
        sender,
        store_code,
        name,
        banner,
        store_type,
        format,
        industry,
        region,
        city,
        country_code,
        time_zone,
        currency_code,
        cut_off_hour,
        opened_date,
        closed_date,
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
        key_columns=['store_key', 'store_durable_key'],
        name_columns=['name'],
        given={
            'time_zone': "'UTC'",
            'cut_off_hour': '0',
            'valid_from_at': beginning_of_time(),
            'valid_to_at': end_of_time(),
            'is_current': 'true',
            'is_inferred': 'false',
            'changed_batch_id': '0',
        }
    ) }}
)

select * from members
