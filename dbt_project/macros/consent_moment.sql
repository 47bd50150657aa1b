{#- The moment for which consent is asked: it runs out whether or not anything was delivered. -#}
{% macro consent_moment() -%}
    now()
{%- endmacro %}
