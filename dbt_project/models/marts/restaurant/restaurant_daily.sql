-- Grain: one row per restaurant and business day
with

summed as (
    select
        business_date,
        date_key,
        store_durable_key,
        cast(count(*) as integer) as check_count,
        cast(count(*) filter (where service_mode = 'dine_in') as integer) as dine_in_check_count,
        cast(sum(guest_count) as integer) as cover_count,
        cast(count(*) filter (where service_mode = 'dine_in' and table_code is not null) as integer)
            as table_check_count,
        cast(
            count(distinct case when service_mode = 'dine_in' then concat_ws(
                chr(31), area_code, table_code
            ) end) filter (where table_code is not null) as integer
        ) as table_count,
        cast(sum(net_amount_reporting) as decimal(18, 4)) as net_amount_reporting,
        sum(case when guest_count > 0 then net_amount_reporting end) as covered_net_amount,
        sum(gross_incl_tax_amount_reporting) as gross_amount,
        cast(sum(tip_amount_reporting) as decimal(18, 4)) as tip_amount_reporting,
        cast(count(*) filter (where tip_amount_reporting > 0) as integer) as tipped_check_count,
        cast(sum(service_charge_amount_reporting) as decimal(18, 4))
            as service_charge_amount_reporting,
        cast(sum(cover_charge_amount_reporting) as decimal(18, 4))
            as cover_charge_amount_reporting,
        avg(stay_seconds) as average_stay_seconds,
        avg(service_seconds) as average_service_seconds
    from {{ ref('int_restaurant__checks_typed') }}
    group by business_date, date_key, store_durable_key
),

daily as (
    select
        business_date,
        date_key,
        store_durable_key,
        check_count,
        dine_in_check_count,
        cover_count,
        table_count,
        cast(table_check_count as double) / nullif(table_count, 0) as table_turns,
        net_amount_reporting,
        cast(covered_net_amount as double) / nullif(cover_count, 0)
            as net_amount_per_cover_reporting,
        tip_amount_reporting,
        cast(tip_amount_reporting as double) / nullif(cast(gross_amount as double), 0) as tip_share,
        tipped_check_count,
        service_charge_amount_reporting,
        cover_charge_amount_reporting,
        average_stay_seconds,
        average_service_seconds
    from summed
)

select * from daily
