{#- The date so many days after another; `days` is an integer expression. -#}
{% macro days_after(date, days) -%}
    {{ return(adapter.dispatch('days_after', 'tillhouse')(date, days)) }}
{%- endmacro %}

{% macro default__days_after(date, days) -%}
    cast({{ date }} + {{ days }} as date)
{%- endmacro %}

{% macro spark__days_after(date, days) -%}
    date_add({{ date }}, {{ days }})
{%- endmacro %}
