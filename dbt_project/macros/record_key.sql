{#-
    The loader's record key for a natural key: `template_record` is the raw table's name, the other
    parts are SQL expressions in the order in which the template declares its key.
-#}
{% macro record_key(template_record, sender, parts) -%}
    {{ surrogate_key(["'" ~ template_record ~ "'", sender] + parts) }}
{%- endmacro %}
