{#- A field that a custom template added to a record, out of its row's JSON object; null on rows of
    other templates. `name` is the staged column's: a token's ends in _token. -#}
{% macro extra_field(extra_fields, name, type) -%}
    {{ return(adapter.dispatch('extra_field', 'tillhouse')(extra_fields, name, type)) }}
{%- endmacro %}

{% macro default__extra_field(extra_fields, name, type) -%}
    cast({{ extra_fields }} ->> '{{ name }}' as {{ type }})
{%- endmacro %}

{% macro spark__extra_field(extra_fields, name, type) -%}
    cast(get_json_object({{ extra_fields }}, '$.{{ name }}') as {{ type }})
{%- endmacro %}
