{#- The filter that limits an input to the business days this run replaces; nothing when it writes
    all of them. -#}
{% macro of_touched_days(touched_days='int_sales__touched_days') -%}
    {%- if tillhouse.is_replacing_touched_days() %}
    where business_date in (select touched.business_date from {{ ref(touched_days) }} as touched)
    {%- endif %}
{%- endmacro %}
