-- Grain: one row per clinic, service and business day
with

summed as (
    select
        visits.business_date,
        visits.date_key,
        visits.store_durable_key,
        visits.service_key,
        services.name as service_name,
        cast(count(distinct visits.visit_token) as integer) as visit_count,
        cast(count(distinct visits.patient_token) as integer) as patient_count,
        cast(sum(visits.quantity) as decimal(18, 3)) as quantity,
        cast(sum(visits.net_amount_reporting) as decimal(18, 4)) as net_amount_reporting,
        cast(sum(visits.gross_incl_tax_amount_reporting) as decimal(18, 4))
            as gross_incl_tax_amount_reporting,
        cast(sum(visits.insurer_amount_reporting) as decimal(18, 4)) as insurer_amount_reporting,
        cast(sum(visits.patient_amount_reporting) as decimal(18, 4)) as patient_amount_reporting,
        cast(sum(visits.insurer_amount_reporting) as double) / nullif(
            cast(
                sum(visits.insurer_amount_reporting) + sum(visits.patient_amount_reporting)
                as double
            ),
            0
        ) as insurer_share,
        avg(visits.service_seconds) as average_service_seconds,
        avg(visits.wait_seconds) as average_wait_seconds
    from {{ ref('fct_visit_service') }} as visits
    inner join {{ ref('dim_service') }} as services on visits.service_key = services.service_key
    group by
        visits.business_date, visits.date_key, visits.store_durable_key, visits.service_key,
        services.name
)

select * from summed
