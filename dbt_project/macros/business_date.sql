{#- The business date of a wall-clock time: hours before the store's cut-off hour still belong to
    the evening before. -#}
{% macro business_date(wall_clock, cut_off_hour) -%}
    cast({{ wall_clock }} - to_hours(cast({{ cut_off_hour }} as bigint)) as date)
{%- endmacro %}
