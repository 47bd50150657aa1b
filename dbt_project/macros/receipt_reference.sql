{#-
    Which receipt or order a row of either journal belongs to, in one column to join on.

    One column because a join on three is taken for 600 times too small and then builds its hash
    table of ten million lines instead of the receipts: twice the time, twice the memory.
-#}
{% macro receipt_reference(relation) -%}
    {{ relation }}.template || chr(31) || {{ relation }}.sender
    || chr(31) || {{ relation }}.receipt_id
{%- endmacro %}
