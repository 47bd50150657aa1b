{#- Whether a day is one of those that the stored model `touched_days` lists. -#}
{% macro is_one_of_days(business_date, touched_days) -%}
    {%- set at_most = 400 -%}
    {%- set days = run_query(
        "select distinct cast(business_date as varchar) from " ~ ref(touched_days)
        ~ " order by 1 limit " ~ (at_most + 1)
    ).columns[0].values() -%}
    {%- if days | length == 0 -%}
    false
    {%- elif days | length <= at_most -%}
    {{ business_date }} in (
        {%- for day in days %}date '{{ day }}'{{ ', ' if not loop.last }}{% endfor -%}
    )
    {%- else -%}
    {{ business_date }} in (
        select touched.business_date from {{ ref(touched_days) }} as touched
    )
    {%- endif -%}
{%- endmacro %}
