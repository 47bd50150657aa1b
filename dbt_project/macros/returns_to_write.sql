{#- The link of each return among the lines to write to the line it takes back. -#}
{% macro returns_to_write() -%}
    {{ return(
        '(' ~ tillhouse.linked_returns(ref('int_sales__touched_lines')) ~ ')'
        if tillhouse.is_replacing_touched_days() else ref('int_sales__returns_linked')
    ) }}
{%- endmacro %}
