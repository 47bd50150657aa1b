-- Grain: one row per customer who may be written to today
-- A view: consent runs out on days on which nothing is delivered and nothing is built.
{{ config(materialized='view') }}

with

customers as (
    select
        customer_durable_key,
        banner,
        country_code,
        value_tier,
        favourite_department,
        last_purchase_date
    from {{ ref('customer_360') }}
),

permitted as (
    select
        customer_durable_key,
        banner,
        country_code,
        value_tier,
        favourite_department,
        last_purchase_date,
        coalesce({{ consented('profiling', 'customer_durable_key') }}, false) as is_personal
    from customers
    where {{ consented('marketing', 'customer_durable_key') }}
),

listed as (
    select
        customer_durable_key,
        banner,
        country_code,
        is_personal,
        case when is_personal then 'profiling_consent' else 'no_profiling_consent' end
            as reason_code,
        -- Without consent to profiling everybody gets the same: nothing that was worked out.
        case when is_personal then value_tier end as value_tier,
        case when is_personal then favourite_department end as favourite_department,
        case when is_personal then last_purchase_date end as last_purchase_date
    from permitted
)

select * from listed
