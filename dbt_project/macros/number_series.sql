{#- One row per whole number from 0 to `count` - 1, column `number`. -#}
{% macro number_series(count) -%}
    {{ return(adapter.dispatch('number_series', 'tillhouse')(count)) }}
{%- endmacro %}

{% macro default__number_series(count) -%}
    select cast(series.number as integer) as number
    from range({{ count }}) as series (number)
{%- endmacro %}

{% macro spark__number_series(count) -%}
    select cast(id as integer) as number
    from range({{ count }})
{%- endmacro %}
