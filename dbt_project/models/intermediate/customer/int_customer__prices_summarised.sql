with

lines as (
    select
        lines.customer_durable_key,
        lines.line_type,
        lines.promotion_key,
        lines.quantity,
        lines.list_amount_reporting,
        lines.discount_amount_reporting,
        lines.net_amount_reporting,
        products.category
    from {{ ref('fct_sales_line') }} as lines
    left join {{ ref('dim_product') }} as products
        on lines.product_durable_key = products.product_durable_key and products.is_current
    where lines.line_type in ('sale', 'return')
),

-- What a piece of the category costs before discount, over everybody's purchases.
categories as (
    select
        category,
        sum(list_amount_reporting) / nullif(sum(quantity), 0) as mean_price
    from lines
    where line_type = 'sale' and category is not null and quantity > 0
    group by category
),

summarised as (
    select
        lines.customer_durable_key,
        sum(case when lines.line_type = 'sale' then lines.list_amount_reporting end)
            as list_amount_reporting,
        sum(case when lines.line_type = 'sale' then lines.discount_amount_reporting end)
            as discount_amount_reporting,
        sum(
            case
                when lines.line_type = 'sale' and lines.promotion_key >= 0
                    then lines.list_amount_reporting
            end
        ) as promoted_amount_reporting,
        sum(case when lines.line_type = 'sale' then lines.net_amount_reporting end)
            as sold_amount_reporting,
        -sum(case when lines.line_type = 'return' then lines.net_amount_reporting end)
            as returned_amount_reporting,
        sum(
            case
                when lines.line_type = 'sale' and categories.mean_price > 0
                    then lines.list_amount_reporting
            end
        ) as comparable_amount_reporting,
        sum(
            case
                when lines.line_type = 'sale' and categories.mean_price > 0
                    then lines.quantity * categories.mean_price
            end
        ) as usual_amount_reporting
    from lines
    left join categories on lines.category = categories.category
    where lines.customer_durable_key >= 0
    group by lines.customer_durable_key
),

shared as (
    select
        customer_durable_key,
        cast(discount_amount_reporting / nullif(list_amount_reporting, 0) as double)
            as discount_share,
        cast(
            coalesce(promoted_amount_reporting, 0) / nullif(list_amount_reporting, 0) as double
        ) as promotion_share,
        cast(comparable_amount_reporting / nullif(usual_amount_reporting, 0) as double)
            as price_level,
        cast(coalesce(returned_amount_reporting, 0) as decimal(18, 4))
            as returned_amount_reporting,
        cast(
            coalesce(returned_amount_reporting, 0) / nullif(sold_amount_reporting, 0) as double
        ) as return_share
    from summarised
)

select * from shared
