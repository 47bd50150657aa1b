{#- The columns of the model that is being built, name to type, as its YAML declares them. -#}
{% macro contract_columns() -%}
    {%- set types = {} -%}
    {%- for name, column in (model.columns or {}).items() -%}
        {%- do types.update({name: column.data_type}) -%}
    {%- endfor -%}
    {{ return(types) }}
{%- endmacro %}
