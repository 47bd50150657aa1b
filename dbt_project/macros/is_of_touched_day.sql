{#- Whether a business day is one that this run writes again; always when it writes them all. -#}
{% macro is_of_touched_day(business_date, touched_days='int_sales__touched_days') -%}
    {%- if tillhouse.is_replacing_touched_days() -%}
    {{ business_date }} in (
        select touched.business_date from {{ ref(touched_days) }} as touched
    )
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}
