{#-
    Whether a receipt or order number is one of a day that this run writes again; always when it
    writes them all. Changes no answer where the rows are joined with the headers of those days:
    it only spares that join the rows of all other days, on one column instead of three.
-#}
{% macro is_of_touched_receipt(receipt_id) -%}
    {%- if not tillhouse.is_replacing_touched_days() -%}
    true
    {%- else -%}
    {{ receipt_id }} in (
        select touched_headers.receipt_id
        from {{ ref('int_sales__headers_resolved') }} as touched_headers
        where {{ tillhouse.is_of_touched_day('touched_headers.business_date') }}
    )
    {%- endif -%}
{%- endmacro %}
