-- Grain: one row per cinema, film and business day of the shows
with

summed as (
    select
        show_date,
        date_key,
        store_durable_key,
        film_key,
        cast(count(distinct show_key) as integer) as show_count,
        cast(sum(sold_count) as integer) as ticket_count,
        cast(sum(admitted_count) as integer) as admitted_count,
        cast(sum(net_amount_reporting) as decimal(18, 4)) as net_amount_reporting,
        cast(sum(gross_incl_tax_amount_reporting) as decimal(18, 4)) as box_office_amount_reporting
    from {{ ref('fct_seat_occupancy') }}
    group by show_date, date_key, store_durable_key, film_key
),

ranked as (
    select
        summed.show_date,
        summed.date_key,
        summed.store_durable_key,
        summed.film_key,
        films.name as film_name,
        summed.show_count,
        summed.ticket_count,
        summed.admitted_count,
        summed.net_amount_reporting,
        summed.box_office_amount_reporting,
        cast(summed.box_office_amount_reporting as double) / nullif(summed.ticket_count, 0)
            as average_ticket_amount_reporting,
        cast(
            rank() over (
                partition by summed.show_date, summed.store_durable_key
                order by summed.box_office_amount_reporting desc nulls last
            ) as integer
        ) as rank_of_day
    from summed
    inner join {{ ref('dim_film') }} as films on summed.film_key = films.film_key
)

select * from ranked
