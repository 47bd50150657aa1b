{#- A text with every match of a regular expression taken out. -#}
{% macro without_matches(text, pattern) -%}
    {{ return(adapter.dispatch('without_matches', 'tillhouse')(text, pattern)) }}
{%- endmacro %}

{% macro default__without_matches(text, pattern) -%}
    regexp_replace({{ text }}, '{{ pattern }}', ' ', 'g')
{%- endmacro %}

{% macro spark__without_matches(text, pattern) -%}
    regexp_replace({{ text }}, r'{{ pattern }}', ' ')
{%- endmacro %}
