with

-- No feed describes tills: what is known of one is its shop and its code, for all of its time.
keyed as (
    select
        {{ surrogate_key(["'terminal_version'", 'sender', 'store_code', 'terminal_code', 'null']) }}
            as terminal_key,
        {{ surrogate_key(["'terminal'", 'sender', 'store_code', 'terminal_code']) }}
            as terminal_durable_key,
        sender,
        store_code,
        terminal_code,
        concat(store_code, ' / ', terminal_code) as name,
        {{ surrogate_key(["'store'", 'sender', 'store_code']) }} as store_durable_key,
        {{ beginning_of_time() }} as valid_from_at,
        {{ end_of_time() }} as valid_to_at,
        true as is_current,
        true as is_inferred
    from {{ ref('int_terminal__codes_collected') }} as terminals
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(
        key_columns=['terminal_key', 'terminal_durable_key', 'store_durable_key'],
        name_columns=['name'],
        given={
            'valid_from_at': beginning_of_time(),
            'valid_to_at': end_of_time(),
            'is_current': 'true',
            'is_inferred': 'false',
        }
    ) }}
)

select * from members
