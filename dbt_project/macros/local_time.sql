{#- The wall clock of a moment in `time_zone`, as a timestamp without a zone. -#}
{% macro local_time(moment, time_zone) -%}
    {{ return(adapter.dispatch('local_time', 'tillhouse')(moment, time_zone)) }}
{%- endmacro %}

{% macro default__local_time(moment, time_zone) -%}
    timezone({{ time_zone }}, {{ moment }})
{%- endmacro %}

{% macro spark__local_time(moment, time_zone) -%}
    from_utc_timestamp({{ moment }}, {{ time_zone }})
{%- endmacro %}
