{#- The name of a bank or card scheme in small letters and single blanks, by which it is one. -#}
{% macro card_issuer_code(card_issuer) -%}
    lower(trim({{ without_matches(card_issuer, '\\s+') }}))
{%- endmacro %}
