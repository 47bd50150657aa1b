{#- The key of dim_time_of_day for a wall-clock time: minutes since midnight. -#}
{% macro time_of_day_key(wall_clock) -%}
    cast(
        extract('hour' from {{ wall_clock }}) * 60 + extract('minute' from {{ wall_clock }})
        as integer
    )
{%- endmacro %}
