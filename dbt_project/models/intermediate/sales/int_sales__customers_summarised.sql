with

purchases as (
    select
        transactions.customer_durable_key,
        transactions.transaction_key,
        transactions.transaction_type,
        transactions.business_date,
        transactions.sold_at,
        transactions.store_durable_key,
        transactions.channel_key,
        transactions.net_amount_reporting
    from {{ ref('fct_transaction') }} as transactions
    where transactions.is_sale and transactions.customer_durable_key >= 0
),

channels as (
    select
        channel_key,
        channel_code
    from {{ ref('dim_channel') }}
),

stores as (
    select
        store_durable_key,
        name,
        banner
    from {{ ref('dim_store') }}
    where is_current
),

totals as (
    select
        customer_durable_key,
        min(business_date) filter (where transaction_type = 'sale') as first_purchase_date,
        max(business_date) filter (where transaction_type = 'sale') as last_purchase_date,
        max(sold_at) as last_receipt_at,
        count(*) filter (where transaction_type = 'sale') as receipt_count,
        count(*) filter (where transaction_type = 'return') as return_count,
        coalesce(sum(net_amount_reporting), 0) as net_amount_reporting
    from purchases
    group by customer_durable_key
),

-- Where they buy is where they buy most often, then for most money.
favourite_stores as (
    select
        customer_durable_key,
        store_durable_key
    from purchases
    group by customer_durable_key, store_durable_key
    qualify row_number() over (
        partition by customer_durable_key
        order by count(*) desc, sum(net_amount_reporting) desc nulls last, store_durable_key asc
    ) = 1
),

favourite_channels as (
    select
        customer_durable_key,
        channel_key
    from purchases
    group by customer_durable_key, channel_key
    qualify row_number() over (
        partition by customer_durable_key
        order by count(*) desc, sum(net_amount_reporting) desc nulls last, channel_key asc
    ) = 1
),

summarised as (
    select
        totals.customer_durable_key,
        totals.first_purchase_date,
        totals.last_purchase_date,
        totals.last_receipt_at,
        totals.receipt_count,
        totals.return_count,
        totals.net_amount_reporting,
        favourite_stores.store_durable_key as favourite_store_durable_key,
        stores.name as favourite_store_name,
        stores.banner as favourite_banner,
        channels.channel_code as favourite_channel_code
    from totals
    inner join favourite_stores
        on totals.customer_durable_key = favourite_stores.customer_durable_key
    inner join favourite_channels
        on totals.customer_durable_key = favourite_channels.customer_durable_key
    left join stores on favourite_stores.store_durable_key = stores.store_durable_key
    left join channels on favourite_channels.channel_key = channels.channel_key
)

select * from summarised
