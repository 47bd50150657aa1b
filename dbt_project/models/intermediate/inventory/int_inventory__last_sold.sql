with

sold as (
    select
        store_durable_key,
        product_durable_key,
        max(business_date) as last_sold_date
    from {{ ref('int_inventory__sold_daily') }}
    where sold_quantity > 0
    group by store_durable_key, product_durable_key
)

select * from sold
