with

summarised as (
    select
        customer_durable_key,
        sum(dwell_seconds) as web_dwell_seconds,
        sum(product_view_count) as web_product_view_count,
        sum(order_count) as web_order_count,
        count(case when is_cart_abandoned then 1 end) as abandoned_basket_count,
        max(case when is_cart_abandoned then business_date end) as last_abandoned_basket_date
    from {{ ref('fct_web_session') }}
    where customer_durable_key >= 0
    group by customer_durable_key
)

select * from summarised
