{#- The last value that was stated up to a row, in the order of `window`. -#}
{% macro last_stated(expression, window) -%}
    {{ return(adapter.dispatch('last_stated', 'tillhouse')(expression, window)) }}
{%- endmacro %}

{% macro default__last_stated(expression, window) -%}
    last_value({{ expression }} ignore nulls) over {{ window }}
{%- endmacro %}

{% macro spark__last_stated(expression, window) -%}
    last_value({{ expression }}, true) over {{ window }}
{%- endmacro %}
