{#-
    The table as an earlier build left it, or none before the first.

    For models that decide what to replace in tables built after them: a `ref` would close a circle.
    What is read there is only where rows stand now, never what they say.
-#}
{% macro stored_table(schema, name) -%}
    {{ return(
        adapter.get_relation(database=target.database, schema=schema, identifier=name)
        if execute else none
    ) }}
{%- endmacro %}
