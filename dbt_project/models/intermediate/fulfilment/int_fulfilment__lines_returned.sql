with

returned as (
    select
        original_line_key as sales_line_key,
        cast(-sum(quantity) as decimal(18, 3)) as returned_quantity,
        max(sold_at) as returned_at
    from {{ ref('fct_sales_line') }}
    where line_type = 'return' and original_line_key >= 0
    group by original_line_key
)

select * from returned
