with

halls as (
    select distinct
        sender,
        store_durable_key,
        hall_code
    from {{ ref('int_cinema__tickets_typed') }} as tickets
    where hall_code is not null
),

keyed as (
    select
        {{ surrogate_key(["'hall'", 'store_durable_key', 'hall_code']) }} as hall_key,
        sender,
        store_durable_key,
        hall_code,
        hall_code as name
    from halls
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(
        key_columns=['hall_key', 'store_durable_key'],
        name_columns=['name']
    ) }}
)

select * from members
