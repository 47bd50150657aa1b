with

-- As the ticket that was sold last says: a show that is moved takes its tickets with it.
described as (
    select
        sender,
        show_id,
        store_durable_key,
        show_starts_at,
        film_code,
        hall_code,
        film_version,
        language_code
    from {{ ref('int_cinema__tickets_typed') }} as tickets
    qualify row_number() over (
        partition by sender, show_id
        order by sold_at desc, sales_line_key desc
    ) = 1
),

at_stores as (
    select
        described.sender,
        described.show_id,
        described.store_durable_key,
        coalesce(stores.store_key, -1) as store_key,
        described.show_starts_at,
        described.film_code,
        described.hall_code,
        described.film_version,
        described.language_code,
        coalesce(stores.cut_off_hour, 0) as cut_off_hour,
        {{ local_time('described.show_starts_at', "coalesce(stores.time_zone, 'UTC')") }}
            as starts_at_local
    from described
    left join {{ ref('dim_store') }} as stores
        on
            described.store_durable_key = stores.store_durable_key
            and described.show_starts_at >= stores.valid_from_at
            and described.show_starts_at < stores.valid_to_at
),

dated as (
    select
        sender,
        show_id,
        store_key,
        store_durable_key,
        show_starts_at,
        {{ business_date('starts_at_local', 'cut_off_hour') }} as show_date,
        coalesce({{ time_of_day_key('starts_at_local') }}, -1) as time_of_day_key,
        film_code,
        hall_code,
        film_version,
        language_code
    from at_stores
)

select * from dated
