{#- The last day of a date's month. -#}
{% macro month_end(date) -%}
    last_day({{ date }})
{%- endmacro %}
