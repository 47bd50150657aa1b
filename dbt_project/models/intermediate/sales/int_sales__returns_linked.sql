with

returns as (
    select
        sales_line_key,
        template,
        sender,
        product_code,
        sold_at,
        original_receipt_id,
        original_line_number
    from {{ ref('int_sales__lines_unioned') }} as lines
    where
        line_type = 'return'
        and original_receipt_id is not null
        and original_line_number is not null
),

-- Goods ordered online may come back to a shop, so both journals are looked through. A line of
-- another product, or one sold later, is not what came back, whatever the till was told.
found as (
    select
        returns.sales_line_key,
        lines.sales_line_key as original_line_key,
        case when lines.template = returns.template then 1 else 2 end as preference
    from returns
    inner join {{ ref('int_sales__lines_unioned') }} as lines
        on
            returns.sender = lines.sender
            and returns.original_receipt_id = lines.receipt_id
            and returns.original_line_number = lines.line_number
            and returns.product_code = lines.product_code
            and returns.sold_at >= lines.sold_at
    inner join {{ ref('int_sales__headers_unioned') }} as headers
        on {{ receipt_reference('lines') }} = {{ receipt_reference('headers') }}
    where
        {{ is_sale_line('lines.line_type', 'headers.transaction_type') }}
        and lines.sales_line_key != returns.sales_line_key
),

linked as (
    select
        sales_line_key,
        original_line_key
    from found
    qualify row_number() over (
        partition by sales_line_key
        order by preference asc, original_line_key asc
    ) = 1
)

select * from linked
