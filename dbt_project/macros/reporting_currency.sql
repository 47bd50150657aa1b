{#- The currency every amount is also reported in: a setting of the deployment, no secret. -#}
{% macro reporting_currency() -%}
    '{{ env_var("TILLHOUSE_REPORTING_CURRENCY", "USD") }}'
{%- endmacro %}
