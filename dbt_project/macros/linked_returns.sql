{#-
    Which line each of the returns among `lines` takes back: the SQL of int_sales__returns_linked,
    over all lines or over those that a build writes again.

    What a return points at is found first and only then asked whether it was a sale: returns are
    few, and the other way round every line would meet its receipt.
-#}
{% macro linked_returns(lines) -%}
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
    from {{ lines }} as lines
    where
        line_type = 'return'
        and original_receipt_id is not null
        and original_line_number is not null
),

-- Goods ordered online may come back to a shop, so both journals are looked through. A line of
-- another product, or one sold later, is not what came back, whatever the till was told.
pointed_at as {{ tillhouse.worked_out_first() }} (
    select
        returns.sales_line_key,
        lines.sales_line_key as original_line_key,
        lines.line_type,
        lines.template,
        lines.sender,
        lines.receipt_id,
        case when lines.template = returns.template then 1 else 2 end as preference
    from returns
    inner join {{ ref('int_sales__lines_unioned') }} as lines
        on
            returns.sender = lines.sender
            and returns.original_receipt_id = lines.receipt_id
            and returns.original_line_number = lines.line_number
            and returns.product_code = lines.product_code
            and returns.sold_at >= lines.sold_at
    where lines.sales_line_key != returns.sales_line_key
),

found as (
    select
        pointed_at.sales_line_key,
        pointed_at.original_line_key,
        pointed_at.preference
    from pointed_at
    inner join {{ ref('int_sales__headers_unioned') }} as headers
        on {{ tillhouse.receipt_reference('pointed_at') }}
            = {{ tillhouse.receipt_reference('headers') }}
    where {{ tillhouse.is_sale_line('pointed_at.line_type', 'headers.transaction_type') }}
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

select
    sales_line_key,
    original_line_key
from linked
{%- endmacro %}
