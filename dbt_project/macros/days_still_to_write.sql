{#-
    The days that a build which was killed had to write: one more branch of a union of days.

    Its own list tells of them, as long as no complete build has moved the watermark it was made at.
    Where its rows stood before may show nowhere else: some tables are a step ahead of others.
-#}
{% macro days_still_to_write() %}
    {%- set stored = tillhouse.stored_table(this.schema, this.name) %}
    {%- if stored and not tillhouse.replaces_all_days() %}

    union

    select unwritten.business_date
    from {{ stored }} as unwritten
    where unwritten.since_batch_id = {{ tillhouse.built_batch_id() }}
    {%- endif %}
{%- endmacro %}
