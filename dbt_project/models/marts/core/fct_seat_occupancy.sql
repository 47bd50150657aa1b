-- Grain: one row per show and class of seats
with

tickets as (
    select
        sender,
        show_id,
        seat_class,
        max(seat_count) as seat_count,
        cast(sum(quantity) as integer) as sold_count,
        cast(sum(case when is_admitted then quantity else 0 end) as integer) as admitted_count,
        cast(sum(net_amount) as decimal(18, 4)) as net_amount,
        cast(sum(gross_incl_tax_amount) as decimal(18, 4)) as gross_incl_tax_amount,
        min(currency_code) as currency_code,
        max(currency_code) as last_currency_code,
        cast(sum(net_amount_reporting) as decimal(18, 4)) as net_amount_reporting,
        cast(sum(gross_incl_tax_amount_reporting) as decimal(18, 4))
            as gross_incl_tax_amount_reporting
    from {{ ref('int_cinema__tickets_typed') }} as tickets
    group by sender, show_id, seat_class
),

-- Amounts in two currencies cannot be added up; in the reporting currency they can.
occupied as (
    select
        {{ surrogate_key([
            "'seat_occupancy'", 'tickets.sender', 'tickets.show_id', 'tickets.seat_class'
        ]) }} as seat_occupancy_key,
        shows.show_key,
        shows.film_key,
        shows.hall_key,
        shows.store_key,
        shows.store_durable_key,
        shows.show_date,
        shows.date_key,
        shows.time_of_day_key,
        tickets.seat_class,
        tickets.seat_count,
        tickets.sold_count,
        tickets.admitted_count,
        cast(tickets.sold_count as double) / nullif(tickets.seat_count, 0) as occupied_share,
        case when tickets.currency_code = tickets.last_currency_code then tickets.net_amount end
            as net_amount,
        case
            when tickets.currency_code = tickets.last_currency_code
                then tickets.gross_incl_tax_amount
        end as gross_incl_tax_amount,
        case when tickets.currency_code = tickets.last_currency_code then tickets.currency_code end
            as currency_code,
        tickets.net_amount_reporting,
        tickets.gross_incl_tax_amount_reporting
    from tickets
    inner join {{ ref('dim_show') }} as shows
        on tickets.sender = shows.sender and tickets.show_id = shows.show_id
)

select * from occupied
