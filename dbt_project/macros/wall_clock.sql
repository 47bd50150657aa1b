{#-
    The wall clock of a moment of `relation` in its column `time_zone`, by way of the day's row of
    int_sales__offsets_dated joined as `offsets`; by the zone's own rules outside the calendar.
-#}
{% macro wall_clock(relation, moment) -%}
    coalesce(
        {{ tillhouse.shifted_wall_clock(
            relation ~ '.' ~ moment,
            'case when ' ~ relation ~ '.' ~ moment ~ ' >= offsets.changed_at'
            ~ ' then offsets.offset_after_seconds else offsets.offset_before_seconds end'
        ) }},
        {{ tillhouse.local_time(relation ~ '.' ~ moment, relation ~ '.time_zone') }}
    )
{%- endmacro %}
