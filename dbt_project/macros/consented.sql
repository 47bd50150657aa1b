{#- Whether a person has consented to a purpose and neither withdrawn it nor let it run out. Nothing
    that serves marketing or profiling may leave it out. -#}
{% macro consented(purpose, person) -%}
    {{ person }} in (
        select consents.person_key
        from {{ ref('int_customer__consents_standing') }} as consents
        where consents.purpose = '{{ purpose }}' and consents.is_granted
    )
{%- endmacro %}
