{#- Seconds from one moment to another, as a double; null where either is not known. -#}
{% macro seconds_between(from_moment, to_moment) -%}
    {{ return(adapter.dispatch('seconds_between', 'tillhouse')(from_moment, to_moment)) }}
{%- endmacro %}

{% macro default__seconds_between(from_moment, to_moment) -%}
    epoch({{ to_moment }}) - epoch({{ from_moment }})
{%- endmacro %}

{% macro spark__seconds_between(from_moment, to_moment) -%}
    cast({{ to_moment }} as double) - cast({{ from_moment }} as double)
{%- endmacro %}
