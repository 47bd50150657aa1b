{#- Every measure of sales_measures as a sum, null only where no line has a value. -#}
{% macro sales_sums() -%}
    {%- for name, expression in tillhouse.sales_measures().items() %}
    cast(sum({{ expression }}) as decimal(18, 4)) as {{ name }},
    {%- endfor %}
    cast(sum(quantity) as decimal(18, 3)) as units
{%- endmacro %}
