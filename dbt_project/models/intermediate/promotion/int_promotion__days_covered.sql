with

stores as (
    select
        sender,
        store_code,
        store_durable_key,
        store_type,
        opened_date,
        closed_date
    from {{ ref('dim_store') }}
    where is_current
),

products as (
    select
        sender,
        product_code,
        product_durable_key
    from {{ ref('dim_product') }}
    where is_current
),

-- A promotion holds where its products are kept, in the stores of its channel, while they are open.
offered as (
    select
        promotions.sender,
        stores.store_durable_key,
        products.product_durable_key,
        promotions.promotion_code,
        greatest(promotions.starts_on, coalesce(stores.opened_date, promotions.starts_on))
            as starts_on,
        least(promotions.ends_on, coalesce(stores.closed_date, promotions.ends_on)) as ends_on,
        cast(null as varchar) as display_code,
        cast(null as varchar) as advert_code,
        greatest(promotions.batch_id, covered_products.batch_id) as batch_id
    from {{ ref('stg_promotion__promotions') }} as promotions
    inner join {{ ref('stg_promotion__products') }} as covered_products
        on
            promotions.sender = covered_products.sender
            and promotions.promotion_code = covered_products.promotion_code
    inner join products
        on
            covered_products.sender = products.sender
            and covered_products.product_code = products.product_code
    inner join {{ ref('int_promotion__products_ranged') }} as ranged
        on products.product_durable_key = ranged.product_durable_key
    inner join stores
        on
            ranged.store_durable_key = stores.store_durable_key
            and (
                promotions.channel_code is null
                or promotions.channel_code = case
                    when stores.store_type in ('web', 'app') then stores.store_type
                    else 'store'
                end
            )
),

-- A display or a leaflet without a last day is one of its first day only.
displayed as (
    select
        placements.sender,
        stores.store_durable_key,
        products.product_durable_key,
        placements.promotion_code,
        placements.starts_on,
        coalesce(placements.ends_on, placements.starts_on) as ends_on,
        placements.display_code,
        placements.advert_code,
        placements.batch_id
    from {{ ref('stg_promotion__placements') }} as placements
    inner join stores
        on placements.sender = stores.sender and placements.store_code = stores.store_code
    inner join products
        on placements.sender = products.sender and placements.product_code = products.product_code
),

windows as (
    select
        sender,
        store_durable_key,
        product_durable_key,
        promotion_code,
        starts_on,
        ends_on,
        display_code,
        advert_code,
        true as is_offered,
        batch_id
    from offered

    union all

    select
        sender,
        store_durable_key,
        product_durable_key,
        promotion_code,
        starts_on,
        ends_on,
        display_code,
        advert_code,
        false as is_offered,
        batch_id
    from displayed
),

-- What has no end in sight ends with the calendar.
calendar as (
    select max(calendar_date) as last_date
    from {{ ref('stg_reference__calendar_days') }}
),

unfolded as (
    select
        windows.sender,
        windows.store_durable_key,
        windows.product_durable_key,
        windows.promotion_code,
        {{ each_day('windows.starts_on', 'least(windows.ends_on, calendar.last_date)') }}
            as business_date,
        windows.display_code,
        windows.advert_code,
        windows.is_offered,
        windows.batch_id
    from windows
    cross join calendar
    where windows.starts_on <= least(windows.ends_on, calendar.last_date)
),

covered as (
    select
        sender,
        store_durable_key,
        product_durable_key,
        promotion_code,
        business_date,
        max(case when is_offered then 1 else 0 end) = 1 as is_offered,
        max(display_code) as display_code,
        max(advert_code) as advert_code,
        max(batch_id) as batch_id
    from unfolded
    group by
        sender, store_durable_key, product_durable_key, promotion_code, business_date
)

select * from covered
