{#- Whether a line counts as sales: goods sold, goods taken back and fees, if the receipt does. -#}
{% macro is_sale_line(line_type, transaction_type) -%}
    (
        {{ line_type }} in ('sale', 'return', 'fee')
        and {{ tillhouse.is_sale_transaction(transaction_type) }}
    )
{%- endmacro %}
