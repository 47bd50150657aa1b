{#-
    The business date of a moment: its local date in `time_zone`, where hours before `cut_off_hour`
    still belong to the evening before. The cut-off is taken off the wall clock, not off the moment,
    so that a night with a clock change keeps its cut-off.
-#}
{% macro local_date(moment, time_zone, cut_off_hour=0) -%}
    {{ return(adapter.dispatch('local_date', 'tillhouse')(moment, time_zone, cut_off_hour)) }}
{%- endmacro %}

{% macro default__local_date(moment, time_zone, cut_off_hour) -%}
    cast(
        timezone({{ time_zone }}, {{ moment }})
        {%- if cut_off_hour != 0 %} - to_hours(cast({{ cut_off_hour }} as bigint)){% endif %}
        as date
    )
{%- endmacro %}

{% macro spark__local_date(moment, time_zone, cut_off_hour) -%}
    cast(
        from_utc_timestamp({{ moment }}, {{ time_zone }})
        {%- if cut_off_hour != 0 %} - make_interval(0, 0, 0, 0, {{ cut_off_hour }}){% endif %}
        as date
    )
{%- endmacro %}
