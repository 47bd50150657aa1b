{#-
    Fails where the half-open intervals of a thing leave a gap, overlap, are empty or turned round,
    do not begin at the beginning of time, or do not end with the one current version.
    Reserved members (keys below 0) have one interval each and are judged like everything else.
-#}
{% test unbroken_intervals(model, thing, from_column='valid_from_at', to_column='valid_to_at') %}
    with

    neighbours as (
        select
            {{ thing }},
            {{ from_column }},
            {{ to_column }},
            is_current,
            lag({{ to_column }}) over (partition by {{ thing }} order by {{ from_column }})
                as previous_to_at,
            lead({{ from_column }}) over (partition by {{ thing }} order by {{ from_column }})
                as next_from_at
        from {{ model }}
    )

    select
        {{ thing }},
        {{ from_column }},
        {{ to_column }}
    from neighbours
    where
        {{ from_column }} >= {{ to_column }}
        or {{ from_column }} is distinct from coalesce(previous_to_at, {{ beginning_of_time() }})
        or {{ to_column }} is distinct from coalesce(next_from_at, {{ end_of_time() }})
        or is_current is distinct from (next_from_at is null)
{% endtest %}
