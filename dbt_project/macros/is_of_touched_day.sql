{#-
    Whether a business day is one that this run writes again; always when it writes them all.

    Where no day was touched it is the word false, which spares the engine every scan and join.
-#}
{% macro is_of_touched_day(business_date, touched_days='int_sales__touched_days') -%}
    {%- if not tillhouse.is_replacing_touched_days() -%}
    true
    {%- elif run_query("select 1 from " ~ ref(touched_days) ~ " limit 1").rows | length == 0 -%}
    false
    {%- else -%}
    {{ business_date }} in (
        select touched.business_date from {{ ref(touched_days) }} as touched
    )
    {%- endif -%}
{%- endmacro %}
