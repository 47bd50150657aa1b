{#-
    Left joins of `relation` to the persons behind its identifiers, one per kind, to be read with
    `first_known_person`. `columns` is kind to column, in order of precedence; a name with a dot
    stands for a column of another relation. A member, browser or handle means something at its
    sender only; phone, e-mail and card mean the same everywhere.
-#}
{% macro person_joins(relation, columns) -%}
    {%- for kind, column in columns.items() %}
    left join {{ ref('stg_identity__person_identifiers') }} as {{ kind }}_persons
        on
            {{ kind }}_persons.identifier_kind = '{{ kind }}'
            {%- if kind in ['member', 'visitor', 'handle'] %}
            and {{ relation }}.sender = {{ kind }}_persons.sender
            {%- endif %}
            and {{ column if '.' in column else relation ~ '.' ~ column }}
            = {{ kind }}_persons.identifier_token
    {%- endfor %}
{%- endmacro %}
