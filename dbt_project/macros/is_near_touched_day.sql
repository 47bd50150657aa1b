{#-
    Whether a moment is close enough to the touched days to fall on one of them in some time zone
    and with some cut-off hour: lets through too much, never too little. For the scan of a large
    table whose business dates are not worked out yet: what was stored far from them is skipped.
-#}
{% macro is_near_touched_day(moment, touched_days='int_sales__touched_days') -%}
    {%- if not tillhouse.is_replacing_touched_days() -%}
    true
    {%- else -%}
    {%- set bounds = run_query(
        "select cast(" ~ tillhouse.days_after("min(business_date)", -3) ~ " as varchar), "
        ~ "cast(" ~ tillhouse.days_after("max(business_date)", 4) ~ " as varchar) "
        ~ "from " ~ ref(touched_days)
    ).rows[0] -%}
    {%- set type = tillhouse.type_timestamp_with_zone() -%}
    {%- if bounds[0] is none -%}
    false
    {%- else -%}
    {{ moment }} >= cast('{{ bounds[0] }} 00:00:00+00' as {{ type }})
    and {{ moment }} < cast('{{ bounds[1] }} 00:00:00+00' as {{ type }})
    {%- endif -%}
    {%- endif -%}
{%- endmacro %}
