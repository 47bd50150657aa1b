{#-
    The lines that a model replacing touched days reads: those of the days it writes again, or all.
-#}
{% macro lines_to_write() -%}
    {{ return(
        ref('int_sales__touched_lines') if tillhouse.is_replacing_touched_days()
        else ref('int_sales__lines_unioned')
    ) }}
{%- endmacro %}
