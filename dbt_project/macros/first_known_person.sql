{#- The person of the first identifier that has one, by the order of `columns`; -1 where none of
    them leads to a person or none is there: whoever bought, somebody did. -#}
{% macro first_known_person(relation, columns) -%}
    coalesce(
        {%- for kind in columns %}
        {{ kind }}_persons.person_key,
        {%- endfor %}
        -1
    )
{%- endmacro %}
