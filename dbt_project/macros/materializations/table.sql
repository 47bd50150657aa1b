{#- A table made anew in one transaction: dropped and created under its own name. The adapter's own
    materialization creates it under another name, renames twice, drops, and asks the catalogue
    about indexes and foreign keys that no model of this project has. -#}
{% materialization table, adapter='duckdb' %}
    {%- set known = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- call statement('main') -%}
        {% if known is not none %}drop {{ known.type }} {{ known }};{% endif %}
        {{ create_table_as(False, target, compiled_code) }}
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
