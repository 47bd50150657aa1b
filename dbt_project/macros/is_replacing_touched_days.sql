{#- Whether a fact writes only the business days that something new touched. -#}
{% macro is_replacing_touched_days() -%}
    {{ return(is_incremental() and not tillhouse.replaces_all_days()) }}
{%- endmacro %}
