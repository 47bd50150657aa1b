{#- Where the first version of anything begins: before every sale that can be delivered. -#}
{% macro beginning_of_time() -%}
    cast('1900-01-01 00:00:00+00' as {{ type_timestamp_with_zone() }})
{%- endmacro %}
