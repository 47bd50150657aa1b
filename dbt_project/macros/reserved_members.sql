{#-
    The three members every dimension has for facts without a row in it: -1 Unknown, -2 Not
    applicable, -3 Invalid in source. Columns and types are the model's contract.

    `key_columns` take the member's number and `name_columns` its name. `given` sets other columns
    to one SQL expression for all three; what is not named is null.
-#}
{% macro reserved_members(key_columns, name_columns, given={}) -%}
    {%- set names = [[-1, 'Unknown'], [-2, 'Not applicable'], [-3, 'Invalid in source']] -%}
    {%- for number, name in names %}
    select
        {%- for column, type in contract_columns().items() %}
        {%- if column in key_columns %}
        {%- set value = number %}
        {%- elif column in name_columns %}
        {%- set value = "'" ~ name ~ "'" %}
        {%- else %}
        {%- set value = given.get(column, 'null') %}
        {%- endif %}
        cast({{ value }} as {{ type }}) as {{ column }}{{ ',' if not loop.last }}
        {%- else %}
        1 as nothing_declared
        {%- endfor %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
