{#-
    The three members every dimension has for facts without a row in it: -1 Unknown, -2 Not
    applicable, -3 Invalid in source.

    `columns` are the dimension's columns in order, name to type. `given` overrides a column: a list
    of three SQL expressions, or one for all three. Columns without a given value: `*_key` and
    `key_columns` take the member's number, the name columns its name, everything else is null.
-#}
{% macro reserved_members(columns, key_columns, name_columns, given={}) -%}
    {%- set names = [[-1, 'Unknown'], [-2, 'Not applicable'], [-3, 'Invalid in source']] -%}
    {%- for number, name in names %}
    {%- set member = loop.index0 %}
    select
        {%- for column, type in columns.items() %}
        {%- if column in given %}
        {%- set value = given[column] %}
        {%- set value = value if value is string else value[member] %}
        {%- elif column in key_columns %}
        {%- set value = number %}
        {%- elif column in name_columns %}
        {%- set value = "'" ~ name ~ "'" %}
        {%- else %}
        {%- set value = 'null' %}
        {%- endif %}
        cast({{ value }} as {{ type }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
