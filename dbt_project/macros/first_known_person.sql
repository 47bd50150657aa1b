{#- The person of the first identifier that has one, by the order of `columns`; -1 where none of
    them leads to a person, -2 where there is no identifier at all. -#}
{% macro first_known_person(relation, columns) -%}
    coalesce(
        {%- for kind in columns %}
        {{ kind }}_persons.person_key,
        {%- endfor %}
        case
            when coalesce(
                {%- for column in columns.values() %}
                {{ column if '.' in column else relation ~ '.' ~ column }}{{ ',' if not loop.last }}
                {%- endfor %}
            ) is null then -2
            else -1
        end
    )
{%- endmacro %}
