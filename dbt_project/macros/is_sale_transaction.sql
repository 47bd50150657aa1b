{#- Whether a receipt or order of this type counts as sales. Voids, no-sales, training and suspended
    receipts are kept and typed; this is the only place that says so. -#}
{% macro is_sale_transaction(transaction_type) -%}
    ({{ transaction_type }} in ('sale', 'return'))
{%- endmacro %}
