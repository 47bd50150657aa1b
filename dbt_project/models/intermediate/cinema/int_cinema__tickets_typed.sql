{{ config(materialized='table') }}

with

tickets as (
    select
        lines.record_key as sales_line_key,
        lines.sender,
        lines.sold_at,
        {{ extra_field('lines.extra_fields', 'show_id', 'varchar') }} as show_id,
        {{ extra_field('lines.extra_fields', 'show_starts_at', type_timestamp_with_zone()) }}
            as show_starts_at,
        {{ extra_field('lines.extra_fields', 'film_code', 'varchar') }} as film_code,
        {{ extra_field('lines.extra_fields', 'film_title', 'varchar') }} as film_title,
        {{ extra_field('lines.extra_fields', 'film_version', 'varchar') }} as film_version,
        {{ extra_field('lines.extra_fields', 'language_code', 'varchar') }} as language_code,
        {{ extra_field('lines.extra_fields', 'age_rating_code', 'varchar') }} as age_rating_code,
        {{ extra_field('lines.extra_fields', 'distributor_code', 'varchar') }} as distributor_code,
        {{ extra_field('lines.extra_fields', 'hall_code', 'varchar') }} as hall_code,
        {{ extra_field('lines.extra_fields', 'seat_class', 'varchar') }} as seat_class,
        {{ extra_field('lines.extra_fields', 'seat_count', 'integer') }} as seat_count,
        {{ extra_field('lines.extra_fields', 'ticket_type_code', 'varchar') }} as ticket_type_code,
        {{ extra_field('lines.extra_fields', 'admitted_at', type_timestamp_with_zone()) }}
            as admitted_at
    from {{ ref('stg_pos_standard__lines') }} as lines
    where lines.extra_fields is not null
),

-- A ticket is of a show; the snack counter's lines stay where they are.
typed as (
    select
        tickets.sales_line_key,
        tickets.sender,
        sales.store_durable_key,
        tickets.sold_at,
        tickets.show_id,
        tickets.show_starts_at,
        tickets.film_code,
        tickets.film_title,
        tickets.film_version,
        tickets.language_code,
        tickets.age_rating_code,
        tickets.distributor_code,
        tickets.hall_code,
        coalesce(tickets.seat_class, 'standard') as seat_class,
        tickets.seat_count,
        tickets.ticket_type_code,
        tickets.admitted_at is not null as is_admitted,
        sales.quantity,
        sales.net_amount,
        sales.gross_incl_tax_amount,
        sales.currency_code,
        sales.net_amount_reporting,
        sales.gross_incl_tax_amount_reporting
    from tickets
    inner join {{ ref('fct_sales_line') }} as sales
        on tickets.sales_line_key = sales.sales_line_key
    where tickets.show_id is not null
)

select * from typed
