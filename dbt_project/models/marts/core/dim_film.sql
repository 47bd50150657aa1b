with

-- As the ticket that was sold last says.
described as (
    select
        sender,
        film_code,
        film_title,
        age_rating_code,
        distributor_code
    from {{ ref('int_cinema__tickets_typed') }} as tickets
    where film_code is not null
    qualify row_number() over (
        partition by sender, film_code
        order by sold_at desc, sales_line_key desc
    ) = 1
),

keyed as (
    select
        {{ surrogate_key(["'film'", 'sender', 'film_code']) }} as film_key,
        sender,
        film_code,
        coalesce(film_title, film_code) as name,
        age_rating_code,
        distributor_code
    from described
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(key_columns=['film_key'], name_columns=['name']) }}
)

select * from members
