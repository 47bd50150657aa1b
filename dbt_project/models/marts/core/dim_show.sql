with

keyed as (
    select
        {{ surrogate_key(["'show'", 'sender', 'show_id']) }} as show_key,
        sender,
        show_id,
        show_id as name,
        store_key,
        store_durable_key,
        {{ member_key('film_code', surrogate_key(["'film'", 'sender', 'film_code'])) }}
            as film_key,
        {{ member_key('hall_code', surrogate_key(["'hall'", 'store_durable_key', 'hall_code'])) }}
            as hall_key,
        show_starts_at as starts_at,
        show_date,
        {{ date_key('show_date') }} as date_key,
        time_of_day_key,
        film_version,
        language_code
    from {{ ref('int_cinema__shows_dated') }} as shows
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(
        key_columns=[
            'show_key', 'store_key', 'store_durable_key', 'film_key', 'hall_key', 'date_key',
            'time_of_day_key',
        ],
        name_columns=['name']
    ) }}
)

select * from members
