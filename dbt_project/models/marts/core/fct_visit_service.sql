-- Grain: one row per line of a clinic visit that bills a service
with

services as (
    select
        sales.sales_line_key as visit_service_key,
        sales.transaction_key,
        sales.business_date,
        sales.date_key,
        sales.store_key,
        sales.store_durable_key,
        {{ surrogate_key(["'service'", 'services.sender', 'services.service_code']) }}
            as service_key,
        visits.patient_reference_token as patient_token,
        visits.visit_id_token as visit_token,
        visits.visit_type,
        visits.department_code,
        coalesce(services.practitioner_code_token, visits.practitioner_code_token)
            as practitioner_token,
        visits.insurer_code,
        services.is_covered,
        sales.quantity,
        sales.net_amount,
        sales.gross_incl_tax_amount,
        services.insurer_amount,
        services.patient_amount,
        sales.currency_code,
        sales.exchange_rate,
        sales.net_amount_reporting,
        sales.gross_incl_tax_amount_reporting,
        {{ reporting_amount('services.insurer_amount', 'sales.exchange_rate') }}
            as insurer_amount_reporting,
        {{ reporting_amount('services.patient_amount', 'sales.exchange_rate') }}
            as patient_amount_reporting,
        services.service_seconds,
        {{ seconds_between('visits.arrived_at', 'visits.seen_at') }} as wait_seconds
    from {{ ref('int_clinic__services_typed') }} as services
    inner join {{ ref('fct_sales_line') }} as sales
        on services.sales_line_key = sales.sales_line_key
    left join {{ ref('int_clinic__visits_typed') }} as visits
        on services.sender = visits.sender and services.receipt_id = visits.receipt_id
)

select * from services
