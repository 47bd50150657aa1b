{#- The type of a moment in UTC. -#}
{% macro type_timestamp_with_zone() -%}
    {{ return(adapter.dispatch('type_timestamp_with_zone', 'tillhouse')()) }}
{%- endmacro %}

{% macro default__type_timestamp_with_zone() -%}
    timestamptz
{%- endmacro %}

{#- Spark's timestamp is a moment, shown in the session's zone. -#}
{% macro spark__type_timestamp_with_zone() -%}
    timestamp
{%- endmacro %}
