{#-
    All columns of `relation` that the model's contract declares, in its order and types: what a
    dimension is made of besides its reserved members.
-#}
{% macro contracted(relation) -%}
    select
        {%- for column, type in contract_columns().items() %}
        cast({{ column }} as {{ type }}) as {{ column }}{{ ',' if not loop.last }}
        {%- else %}
        1 as nothing_declared
        {%- endfor %}
    from {{ relation }}
{%- endmacro %}
