{#- A return names the line it takes back, of the same product and bought before it, or -1; no other
    line names one. And what comes back is negative. -#}
{{ config(severity='error') }}

with

-- A line that changes touches the receipts of its returns: their days are judged with it.
lines as (
    select
        sales_line_key,
        original_line_key,
        line_type,
        product_durable_key,
        sold_at,
        quantity,
        net_amount
    from {{ ref('fct_sales_line') }}
    where {{ is_judged_day('business_date') }}
),

wrong as (
    select
        lines.sales_line_key,
        lines.line_type,
        lines.original_line_key
    from lines
    left join {{ ref('fct_sales_line') }} as originals
        on lines.original_line_key = originals.sales_line_key
    where
        (lines.line_type = 'return' and lines.original_line_key = -2)
        or (lines.line_type != 'return' and lines.original_line_key != -2)
        or (lines.original_line_key >= 0 and originals.sales_line_key is null)
        or originals.line_type = 'return'
        or originals.product_durable_key != lines.product_durable_key
        or originals.sold_at > lines.sold_at
        or (lines.line_type = 'return' and (lines.quantity > 0 or lines.net_amount > 0))
)

select * from wrong
