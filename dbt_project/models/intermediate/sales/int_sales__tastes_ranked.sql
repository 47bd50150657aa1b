{%- set levels = ['department', 'category', 'brand'] %}

with

lines as (
    select
        customer_durable_key,
        product_durable_key,
        net_amount_reporting
    from {{ ref('fct_sales_line') }}
    where customer_durable_key >= 0 and product_durable_key >= 0
),

products as (
    select
        {%- for level in levels %}
        {{ level }},
        {%- endfor %}
        product_durable_key
    from {{ ref('dim_product') }}
    where is_current and coalesce(is_merchandise, true)
),

bought as (
    select
        customer_durable_key,
        product_durable_key,
        coalesce(sum(net_amount_reporting), 0) as net_amount_reporting
    from lines
    group by customer_durable_key, product_durable_key
),

named as (
    {%- for level in levels %}
    select
        bought.customer_durable_key,
        '{{ level }}' as level,
        products.{{ level }} as name,
        sum(bought.net_amount_reporting) as net_amount_reporting
    from bought
    inner join products on bought.product_durable_key = products.product_durable_key
    where products.{{ level }} is not null
    group by bought.customer_durable_key, products.{{ level }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- Favourite is what most money stayed with, returns taken off.
favourites as (
    select
        customer_durable_key,
        level,
        name
    from named
    qualify row_number() over (
        partition by customer_durable_key, level
        order by net_amount_reporting desc, name asc
    ) = 1
),

ranked as (
    select
        {%- for level in levels %}
        max(case when level = '{{ level }}' then name end) as favourite_{{ level }},
        {%- endfor %}
        customer_durable_key
    from favourites
    group by customer_durable_key
)

select * from ranked
