{#-
    The keys of a table in one test: `primary` (a column or a list) is there and stands once, and
    every `foreign` key leads to a row of its table; `where` leaves reserved keys out of a foreign
    key whose table has none. One test instead of a dozen: dbt takes longer over each of them than
    the engine.

    `touched_days` names the model of the days that a build writes again, for tables kept by day.
-#}
{% test sound_keys(model, primary, foreign={}, touched_days=none) %}
    {%- set identity = ([primary] if primary is string else primary) | join(', ') %}
    {%- set judged_day = tillhouse.is_judged_day('business_date', touched_days) if touched_days
        else 'true' %}
    with

    judged as (
        select
            {{ identity }}
            {%- for column in foreign if column not in identity.split(', ') %},
            {{ column }}
            {%- endfor %}
        from {{ model }}
        where {{ judged_day }}
    ),

    repeated as (
        select {{ identity }}
        from {{ model }}
        {%- if judged_day != 'true' %}
        where ({{ identity }}) in (select {{ identity }} from judged)
        {%- endif %}
        group by {{ identity }}
        having count(*) > 1
    )

    select
        'repeated' as fault,
        '{{ identity }}' as key_columns,
        count(*) as row_count
    from repeated
    having count(*) > 0
    {%- for column in identity.split(', ') %}

    union all

    select
        'missing' as fault,
        '{{ column }}' as key_columns,
        count(*) as row_count
    from judged
    where {{ column }} is null
    having count(*) > 0
    {%- endfor %}
    {%- for column, parent in foreign.items() %}

    union all

    select
        'dangling' as fault,
        '{{ column }}' as key_columns,
        count(*) as row_count
    from judged
    where
        {{ column }} is not null
        {%- if parent.where %}
        and {{ parent.where }}
        {%- endif %}
        and not exists (
            select 1
            from {{ parent.to }} as parents
            where parents.{{ parent.field }} = judged.{{ column }}
        )
    having count(*) > 0
    {%- endfor %}
{% endtest %}
