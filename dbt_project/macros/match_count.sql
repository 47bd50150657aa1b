{#- How often a regular expression matches in a text, without overlap. -#}
{% macro match_count(text, pattern) -%}
    {{ return(adapter.dispatch('match_count', 'tillhouse')(text, pattern)) }}
{%- endmacro %}

{% macro default__match_count(text, pattern) -%}
    len(regexp_extract_all({{ text }}, '{{ pattern }}'))
{%- endmacro %}

{% macro spark__match_count(text, pattern) -%}
    regexp_count({{ text }}, r'{{ pattern }}')
{%- endmacro %}
