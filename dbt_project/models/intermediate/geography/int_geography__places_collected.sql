with

stores as (
    select distinct
        sender,
        store_code,
        country_code
    from {{ ref('stg_store__stores') }}
),

stated as (
    select
        country_code,
        region,
        city
    from {{ ref('stg_store__stores') }}

    union all

    select
        country_code,
        region,
        city
    from {{ ref('stg_member__members') }}

    union all

    -- A parcel without a country stays in that of the shop.
    select
        coalesce(orders.country_code, stores.country_code) as country_code,
        cast(null as varchar) as region,
        orders.city
    from {{ ref('stg_web_order__orders') }} as orders
    left join stores
        on orders.sender = stores.sender and orders.store_code = stores.store_code
),

collected as (
    select
        upper(trim(country_code)) as country_code,
        trim(city) as city,
        -- Two regions that have a town of this name leave it without one.
        case when count(distinct trim(region)) = 1 then min(trim(region)) end as region
    from stated
    where coalesce(country_code, city) is not null
    group by upper(trim(country_code)), trim(city)
)

select * from collected
