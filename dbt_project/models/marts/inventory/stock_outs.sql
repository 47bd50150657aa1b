-- Grain: one row per run of days on which a product was out of stock in a store

with

-- Days in a row share the date that many days before them.
days as (
    select
        inventory_daily_key,
        sender,
        store_durable_key,
        product_durable_key,
        business_date,
        sold_quantity,
        {{ days_after('business_date', '-cast(row_number() over (
            partition by store_durable_key, product_durable_key order by business_date
        ) as integer)') }} as run_date
    from {{ ref('fct_inventory_daily') }}
    where is_stock_out
),

runs as (
    select
        sender,
        store_durable_key,
        product_durable_key,
        run_date,
        min(business_date) as first_date,
        max(business_date) as last_date,
        cast(count(*) as integer) as day_count,
        sum(sold_quantity) as sold_quantity
    from days
    group by sender, store_durable_key, product_durable_key, run_date
),

first_days as (
    select
        store_durable_key,
        product_durable_key,
        min(business_date) as first_date
    from {{ ref('fct_inventory_daily') }}
    group by store_durable_key, product_durable_key
),

-- What an ordinary day sells shows in the four weeks before the shelf ran empty.
before as (
    select
        runs.sender,
        runs.store_durable_key,
        runs.product_durable_key,
        runs.first_date,
        runs.last_date,
        runs.day_count,
        runs.sold_quantity,
        coalesce(
            cast(daily.sold_28_days_quantity as double) / least(
                {{ days_between('first_days.first_date', 'daily.business_date') }} + 1, 28
            ), 0
        ) as usual_daily_quantity
    from runs
    inner join first_days
        on
            runs.store_durable_key = first_days.store_durable_key
            and runs.product_durable_key = first_days.product_durable_key
    left join {{ ref('fct_inventory_daily') }} as daily
        on
            runs.store_durable_key = daily.store_durable_key
            and runs.product_durable_key = daily.product_durable_key
            and daily.business_date = {{ days_after('runs.first_date', -1) }}
),

described as (
    select
        {{ surrogate_key([
            "'stock_outs'",
            'before.store_durable_key',
            'before.product_durable_key',
            'before.first_date',
        ]) }} as stock_outs_key,
        before.sender,
        before.store_durable_key,
        stores.name as store_name,
        before.product_durable_key,
        products.product_code,
        products.name as product_name,
        products.category,
        before.first_date,
        before.last_date,
        before.day_count,
        cast(before.sold_quantity as decimal(18, 3)) as sold_quantity,
        before.usual_daily_quantity,
        greatest(
            before.usual_daily_quantity * before.day_count
            - cast(before.sold_quantity as double), 0
        ) as missed_quantity
    from before
    inner join {{ ref('dim_store') }} as stores
        on before.store_durable_key = stores.store_durable_key and stores.is_current
    inner join {{ ref('dim_product') }} as products
        on before.product_durable_key = products.product_durable_key and products.is_current
)

select * from described
