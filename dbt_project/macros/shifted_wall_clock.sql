{#- The wall clock of a moment in a zone that is `offset_seconds` ahead of UTC: one addition, where
    asking the zone's own rules costs 1.4 microseconds a row. -#}
{% macro shifted_wall_clock(moment, offset_seconds) -%}
    {{ return(adapter.dispatch('shifted_wall_clock', 'tillhouse')(moment, offset_seconds)) }}
{%- endmacro %}

{% macro default__shifted_wall_clock(moment, offset_seconds) -%}
    make_timestamp(epoch_us({{ moment }}) + cast({{ offset_seconds }} as bigint) * 1000000)
{%- endmacro %}

{% macro spark__shifted_wall_clock(moment, offset_seconds) -%}
    to_timestamp_ntz(
        timestamp_micros(unix_micros({{ moment }}) + {{ offset_seconds }} * 1000000L)
    )
{%- endmacro %}
