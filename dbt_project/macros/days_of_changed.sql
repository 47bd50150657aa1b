{#-
    The business days of a stored fact on which a version of `dimension` changed since the last
    complete build: one more branch of a union. `key` is the durable key, `moment` the fact's time.
-#}
{% macro days_of_changed(dimension, key, stored, moment) %}
    select stored.business_date
    from {{ stored }} as stored
    inner join {{ ref(dimension) }} as changed
        on
            stored.{{ key }} = changed.{{ key }}
            and stored.{{ moment }} >= changed.valid_from_at
            and stored.{{ moment }} < changed.valid_to_at
    where changed.changed_batch_id > {{ tillhouse.built_batch_id() }}
{%- endmacro %}
