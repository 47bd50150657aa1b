with

held as (
    select
        sender,
        identifier_kind,
        identifier_token,
        person_key,
        rule,
        confidence,
        cast(null as timestamptz) as until_at,
        changed_batch_id
    from {{ ref('stg_identity__person_identifiers') }}
),

earlier as (
    select
        sender,
        identifier_kind,
        identifier_token,
        person_key,
        rule,
        confidence,
        until_at,
        changed_batch_id
    from {{ ref('stg_identity__earlier_persons') }}
),

unioned as (
    {%- for relation in ['held', 'earlier'] %}
    select
        sender,
        identifier_kind,
        identifier_token,
        person_key,
        rule,
        confidence,
        until_at,
        changed_batch_id
    from {{ relation }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- What was decided holds from the moment it was known; the first reaches back to the beginning.
ranged as (
    select
        sender,
        identifier_kind,
        identifier_token,
        person_key,
        rule,
        confidence,
        row_number() over (
            partition by sender, identifier_kind, identifier_token
            order by coalesce(until_at, {{ end_of_time() }}), changed_batch_id, person_key
        ) as version_number,
        lag(until_at, 1, {{ beginning_of_time() }}) over (
            partition by sender, identifier_kind, identifier_token
            order by coalesce(until_at, {{ end_of_time() }}), changed_batch_id, person_key
        ) as valid_from_at,
        coalesce(until_at, {{ end_of_time() }}) as valid_to_at,
        until_at is null as is_current,
        changed_batch_id
    from unioned
)

select * from ranged
