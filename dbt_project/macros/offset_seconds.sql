{#- How far a zone is ahead of UTC at a moment, in seconds. -#}
{% macro offset_seconds(moment, time_zone) -%}
    {{ return(adapter.dispatch('offset_seconds', 'tillhouse')(moment, time_zone)) }}
{%- endmacro %}

{% macro default__offset_seconds(moment, time_zone) -%}
    cast(
        epoch({{ tillhouse.local_time(moment, time_zone) }}) - epoch({{ moment }}) as integer
    )
{%- endmacro %}

{% macro spark__offset_seconds(moment, time_zone) -%}
    cast(
        unix_timestamp({{ tillhouse.local_time(moment, time_zone) }})
        - unix_timestamp({{ moment }}) as integer
    )
{%- endmacro %}
