{#- A view made anew in one transaction, under its own name; see table. -#}
{% materialization view, adapter='duckdb' %}
    {%- set known = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- call statement('main') -%}
        {% if known is not none %}drop {{ known.type }} {{ known }};{% endif %}
        {{ get_create_view_as_sql(target, sql) }}
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
