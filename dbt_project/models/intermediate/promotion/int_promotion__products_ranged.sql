with

covered as (
    select distinct products.product_durable_key
    from {{ ref('stg_promotion__products') }} as covered_products
    inner join {{ ref('dim_product') }} as products
        on
            covered_products.sender = products.sender
            and covered_products.product_code = products.product_code
            and products.is_current
),

-- No sender lists which store keeps what: where a product was ever sold or counted, it is kept.
sold as (
    select distinct
        lines.store_durable_key,
        lines.product_durable_key
    from {{ ref('fct_sales_line') }} as lines
    inner join covered on lines.product_durable_key = covered.product_durable_key
),

counted as (
    select distinct
        counts.store_durable_key,
        counts.product_durable_key
    from {{ ref('int_inventory__counts_placed') }} as counts
    inner join covered on counts.product_durable_key = covered.product_durable_key
),

ranged as (
    select
        store_durable_key,
        product_durable_key
    from sold
    where store_durable_key >= 0

    union

    select
        store_durable_key,
        product_durable_key
    from counted
    where store_durable_key >= 0
)

select * from ranged
