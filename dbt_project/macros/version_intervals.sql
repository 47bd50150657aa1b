{#-
    The versions of a type-2 thing: one row per run of statements that agree in what is tracked.

    `statements` has one row per thing and moment: the `thing` columns, `stated_at`, the `tracked`
    columns, `batch_id` and `is_conflicted` (whether the statement's content was ever replaced).
    A late statement falls into its place and splits the version it falls into.

    valid_from_at and valid_to_at are half-open, without gap or overlap: the first version reaches
    back to the beginning of time, so that an early sale still finds its thing.

    changed_batch_id is the load that last moved the version or one of its ends: that of its own
    first statement, of the first statement of the version before (a late one gives what follows a
    new key), and of statements in either that replaced other content. A statement that repeats
    what is known moves nothing, so it must not touch a single business day.
-#}
{% macro version_intervals(statements, thing, tracked) -%}
    {%- set things = thing | join(', ') -%}
    with

    compared as (
        select
            {{ things }},
            stated_at,
            batch_id,
            is_conflicted,
            {{ surrogate_key(["'tracked'"] + tracked) }} as tracked_hash
        from {{ statements }}
    ),

    marked as (
        select
            {{ things }},
            stated_at,
            batch_id,
            is_conflicted,
            coalesce(
                tracked_hash
                != lag(tracked_hash) over (partition by {{ things }} order by stated_at),
                true
            ) as is_start
        from compared
    ),

    numbered as (
        select
            {{ things }},
            stated_at,
            batch_id,
            is_conflicted,
            is_start,
            sum(case when is_start then 1 else 0 end) over (
                partition by {{ things }}
                order by stated_at
                rows between unbounded preceding and current row
            ) as version_number
        from marked
    ),

    versions as (
        select
            {{ things }},
            version_number,
            min(stated_at) as started_at,
            max(stated_at) as last_stated_at,
            max(case when is_start or is_conflicted then batch_id end) as shaped_batch_id
        from numbered
        group by {{ things }}, version_number
    )

    select
        {{ things }},
        version_number,
        case when version_number > 1 then started_at end as changed_at,
        case when version_number > 1 then started_at else {{ beginning_of_time() }} end
            as valid_from_at,
        coalesce(
            lead(started_at) over (partition by {{ things }} order by version_number),
            {{ end_of_time() }}
        ) as valid_to_at,
        lead(started_at) over (partition by {{ things }} order by version_number) is null
            as is_current,
        last_stated_at,
        greatest(
            shaped_batch_id,
            lag(shaped_batch_id, 1, 0) over (partition by {{ things }} order by version_number)
        ) as changed_batch_id
    from versions
{%- endmacro %}
