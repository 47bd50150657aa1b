{#- A table made anew in one transaction. One that stands already may be read while its successor is
    made, and is dropped behind it. The adapter's own materialization renames twice, and asks the
    catalogue about indexes and foreign keys that no model of this project has. -#}
{% materialization table, adapter='duckdb' %}
    {%- set known = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- set made = target if known is none else make_intermediate_relation(target) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- call statement('main') -%}
        {{ create_table_as(False, made, compiled_code) }}
    {%- endcall %}
    {%- if known is not none -%}
        {%- call statement('replace') -%}
            drop {{ known.type }} {{ known }};
            alter table {{ made }} rename to {{ adapter.quote(target.identifier) }};
        {%- endcall -%}
    {%- endif -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
