{#- The key of the member that `code` leads to; -2 where the source names none, -1 where what it
    names is not in the dimension. -#}
{% macro member_key(code, key) -%}
    case when {{ code }} is null then -2 else coalesce({{ key }}, -1) end
{%- endmacro %}
