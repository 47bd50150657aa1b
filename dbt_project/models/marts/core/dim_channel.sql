with

listed as (
    select
        channels.channel_code,
        channels.name
    from (
        values
        ('store', 'Store'),
        ('web', 'Web shop'),
        ('app', 'App')
    ) as channels (channel_code, name)
),

keyed as (
    select
        {{ surrogate_key(["'channel'", 'channel_code']) }} as channel_key,
        channel_code,
        name
    from listed
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(key_columns=['channel_key'], name_columns=['name']) }}
)

select * from members
