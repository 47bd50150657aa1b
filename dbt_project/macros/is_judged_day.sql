{#-
    Whether a test looks at a business day: at all of them where a build writes them all or the
    table is not kept day by day, otherwise at those that this build wrote again. The others were
    judged when they were written, and nothing has touched them or what they refer to since.
-#}
{% macro is_judged_day(business_date, touched_days='int_sales__touched_days') -%}
    {%- set touched = ref(touched_days) -%}
    {%- if tillhouse.replaces_all_days() -%}
    true
    {%- else -%}
    {{ tillhouse.is_one_of_days(business_date, touched_days) }}
    {%- endif -%}
{%- endmacro %}
