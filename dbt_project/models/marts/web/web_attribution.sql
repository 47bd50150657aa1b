-- Grain: one row per web order and source that led to it

with

orders as (
    select
        transactions.transaction_key,
        transactions.business_date,
        transactions.date_key,
        transactions.store_durable_key,
        transactions.sold_at,
        transactions.sender,
        transactions.customer_durable_key,
        transactions.net_amount,
        transactions.net_amount_reporting,
        transactions.currency_code
    from {{ ref('fct_transaction') }} as transactions
    inner join {{ ref('dim_channel') }} as channels
        on transactions.channel_key = channels.channel_key
    where
        channels.channel_code in ('web', 'app')
        and transactions.is_sale
        and transactions.transaction_type = 'sale'
),

-- Visits of the 30 days before the order, by the person or by the browser that ordered.
touches as (
    select
        orders.transaction_key,
        sessions.web_session_key,
        sessions.utm_source,
        sessions.started_at
    from orders
    inner join {{ ref('fct_web_session') }} as sessions
        on
            orders.customer_durable_key = sessions.customer_durable_key
            and orders.sold_at >= sessions.started_at
            and orders.sold_at < sessions.started_at + interval '30 days'
    where orders.customer_durable_key >= 0

    union

    select
        orders.transaction_key,
        sessions.web_session_key,
        sessions.utm_source,
        sessions.started_at
    from orders
    inner join {{ ref('fct_web_event') }} as purchases
        on
            orders.transaction_key = purchases.transaction_key
            and purchases.event_type = 'purchase'
    inner join {{ ref('fct_web_session') }} as sessions
        on
            orders.sender = sessions.sender
            and purchases.visitor_token = sessions.visitor_token
            and orders.sold_at >= sessions.started_at
            and orders.sold_at < sessions.started_at + interval '30 days'
),

placed as (
    select
        transaction_key,
        coalesce(utm_source, 'unknown') as utm_source,
        row_number() over (
            partition by transaction_key order by started_at, web_session_key
        ) as number_from_start,
        row_number() over (
            partition by transaction_key order by started_at desc, web_session_key desc
        ) as number_from_end
    from touches
),

by_source as (
    select
        transaction_key,
        utm_source,
        count(*) as touch_count,
        max(case when number_from_start = 1 then 1 else 0 end) as first_share,
        max(case when number_from_end = 1 then 1 else 0 end) as last_share
    from placed
    group by transaction_key, utm_source
),

-- An order that no visit leads to has one source: unknown.
all_orders as (
    select
        orders.transaction_key,
        orders.business_date,
        orders.date_key,
        orders.store_durable_key,
        orders.net_amount,
        orders.net_amount_reporting,
        orders.currency_code,
        coalesce(by_source.utm_source, 'unknown') as utm_source,
        coalesce(by_source.touch_count, 0) as touch_count,
        coalesce(by_source.first_share, 1) as first_share,
        coalesce(by_source.last_share, 1) as last_share,
        coalesce(by_source.touch_count, 1) as weight
    from orders
    left join by_source on orders.transaction_key = by_source.transaction_key
),

cumulated as (
    select
        transaction_key,
        business_date,
        date_key,
        store_durable_key,
        currency_code,
        net_amount,
        net_amount_reporting,
        utm_source,
        touch_count,
        first_share,
        last_share,
        sum(weight) over (partition by transaction_key) as total,
        sum(weight) over (partition by transaction_key order by utm_source) as up_to,
        sum(weight) over (partition by transaction_key order by utm_source) - weight as before
    from all_orders
),

-- Each source gets the difference of two rounded sums, so that the parts make the whole.
attributed as (
    select
        {{ surrogate_key(["'web_attribution'", 'transaction_key', 'utm_source']) }}
            as web_attribution_key,
        transaction_key,
        business_date,
        date_key,
        store_durable_key,
        utm_source,
        cast(touch_count as integer) as touch_count,
        cast(first_share as decimal(9, 8)) as first_share,
        cast(last_share as decimal(9, 8)) as last_share,
        {{ cumulated_part('1', 'before', 'up_to', 'total', 8) }} as linear_share,
        cast(net_amount * first_share as decimal(18, 4)) as first_net_amount,
        cast(net_amount * last_share as decimal(18, 4)) as last_net_amount,
        {{ cumulated_part('net_amount', 'before', 'up_to', 'total', 2) }} as linear_net_amount,
        {{ cumulated_part('net_amount_reporting', 'before', 'up_to', 'total', 2) }}
            as linear_net_amount_reporting,
        currency_code
    from cumulated
)

select * from attributed
