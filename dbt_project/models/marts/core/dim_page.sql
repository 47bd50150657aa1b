with

keyed as (
    select
        {{ surrogate_key(["'page'", 'sender', 'page']) }} as page_key,
        sender,
        page,
        page as name,
        page_type
    from {{ ref('int_web__pages_typed') }}
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(key_columns=['page_key'], name_columns=['name']) }}
)

select * from members
