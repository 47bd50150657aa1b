{#-
    Whether this run writes every business day: on a full refresh, and until one build was complete
    (tables may stand there half-filled by a build that was killed).
-#}
{% macro replaces_all_days() -%}
    {%- if not execute or flags.FULL_REFRESH -%}
        {{ return(true) }}
    {%- endif -%}
    {%- set state = tillhouse.stored_table('ops', 'build_state') -%}
    {%- set complete = run_query(
        "select count(*) from " ~ state ~ " where build = 'models' and built_batch_id > 0"
    ) if state else none -%}
    {{ return(not complete or complete.columns[0].values()[0] == 0) }}
{%- endmacro %}
