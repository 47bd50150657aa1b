{#- After `as`: a common table expression that is worked out once, before what reads it. Where the
    engine would rather fold it into its readers, it may begin with the largest join. -#}
{% macro worked_out_first() -%}
    {{ return(adapter.dispatch('worked_out_first', 'tillhouse')()) }}
{%- endmacro %}

{% macro default__worked_out_first() -%}{%- endmacro %}

{% macro duckdb__worked_out_first() -%}materialized{%- endmacro %}
