{#- The watermark: every load up to this one is in the marts; 0 before the first complete build.
    The orchestrator moves it after a complete build only, so a killed build begins again there. -#}
{% macro built_batch_id() -%}
    (
        select coalesce(max(state.built_batch_id), 0)
        from {{ ref('stg_ops__builds') }} as state
        where state.build = 'models'
    )
{%- endmacro %}
