{#- The tier that a customer's three scores make: high from 12 points, mid from 7, else low. -#}
{% macro value_tier() -%}
    case
        when recency_score + frequency_score + value_score >= 12 then 'high'
        when recency_score + frequency_score + value_score >= 7 then 'mid'
        else 'low'
    end
{%- endmacro %}
