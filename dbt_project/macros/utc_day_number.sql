{#- Days from 1970-01-01 to a moment, in UTC: an integer to join on, no zone to convert. -#}
{% macro utc_day_number(moment) -%}
    {{ return(adapter.dispatch('utc_day_number', 'tillhouse')(moment)) }}
{%- endmacro %}

{% macro default__utc_day_number(moment) -%}
    cast(floor(epoch_us({{ moment }}) / 86400000000.0) as integer)
{%- endmacro %}

{% macro spark__utc_day_number(moment) -%}
    cast(floor(unix_micros({{ moment }}) / 86400000000.0) as integer)
{%- endmacro %}
