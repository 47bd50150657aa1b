{#-
    The newest of many days that has come: what "as of" means without asking the clock. A record
    that a wrong till clock dates into the future does not make everything else look old, nor have
    stock filled up to its day. `over` makes it a window.
-#}
{% macro newest_day(day, over='') -%}
    coalesce(
        max(case when {{ day }} <= {{ days_after('cast(now() as date)', 1) }} then {{ day }} end)
        {{- ' over ' ~ over if over }},
        cast(now() as date)
    )
{%- endmacro %}
