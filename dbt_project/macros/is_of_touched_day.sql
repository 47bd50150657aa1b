{#-
    Whether a business day is one that this run writes again; always when it writes them all.

    Days are spelled out as long as they are few: the engine then skips what else is stored, and
    knows how little is left when it orders joins. Where none was touched it is the word false,
    which spares it every scan and join.
-#}
{% macro is_of_touched_day(business_date, touched_days='int_sales__touched_days') -%}
    {%- if not tillhouse.is_replacing_touched_days() -%}
    true
    {%- else -%}
    {{ tillhouse.is_one_of_days(business_date, touched_days) }}
    {%- endif -%}
{%- endmacro %}
