{#- Hours from one moment to another, as a double; null where either is not known. -#}
{% macro hours_between(from_moment, to_moment) -%}
    ({{ tillhouse.seconds_between(from_moment, to_moment) }}) / 3600
{%- endmacro %}
