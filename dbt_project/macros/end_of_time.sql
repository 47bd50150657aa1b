{#- Where the current version of anything ends; a date, so that a range join needs no null. -#}
{% macro end_of_time() -%}
    cast('9999-12-31 00:00:00+00' as {{ type_timestamp_with_zone() }})
{%- endmacro %}
