{#- Whether a day's week is one that this run writes again; always when it writes them all. -#}
{% macro is_of_touched_week(business_date, touched_days) -%}
    {%- if not tillhouse.is_replacing_touched_days() -%}
    true
    {%- elif run_query("select 1 from " ~ ref(touched_days) ~ " limit 1").rows | length == 0 -%}
    false
    {%- else -%}
    {{ tillhouse.week_start(business_date) }} in (
        select {{ tillhouse.week_start('touched.business_date') }}
        from {{ ref(touched_days) }} as touched
    )
    {%- endif -%}
{%- endmacro %}
