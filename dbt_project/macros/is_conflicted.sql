{#- Whether a staged row's key arrived with more than one content; `alias` is its table's. -#}
{% macro is_conflicted(template_record, alias) -%}
    exists (
        select conflict.record_key
        from {{ ref('stg_ops__raw_conflicts') }} as conflict
        where
            conflict.raw_table = '{{ template_record }}'
            and conflict.record_key = {{ alias }}.record_key
    )
{%- endmacro %}
