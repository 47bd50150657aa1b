{#- An amount in the reporting currency; unknown, never 1:1, where there is no rate. -#}
{% macro reporting_amount(amount, exchange_rate) -%}
    cast({{ amount }} * {{ exchange_rate }} as decimal(18, 4))
{%- endmacro %}
