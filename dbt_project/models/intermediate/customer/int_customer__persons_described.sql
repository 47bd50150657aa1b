with

identifiers as (
    select
        person_key,
        nullif(sender, '*') as sender,
        changed_batch_id
    from {{ ref('stg_identity__person_identifiers') }}
    where person_key is not null
),

statements as (
    select
        person_key,
        sender,
        member_number_token,
        stated_at,
        joined_at,
        birth_decade,
        age_band,
        gender,
        home_store_code
    from {{ ref('int_customer__statements_resolved') }}
),

events as (
    select
        person_key,
        other_person_key,
        changed_batch_id
    from {{ ref('stg_identity__person_key_events') }}
),

persons as (
    select
        person_key,
        min(sender) as sender
    from identifiers
    group by person_key
),

-- The last that any account said, from the account joined first on.
traits as (
    select
        person_key,
        min_by(birth_decade, seniority) filter (where birth_decade is not null) as birth_decade,
        min_by(age_band, seniority) filter (where age_band is not null) as age_band,
        min_by(gender, seniority) filter (where gender is not null) as gender
    from (
        select
            person_key,
            birth_decade,
            age_band,
            gender,
            row_number() over (
                partition by person_key
                order by joined_at asc, sender asc, member_number_token asc, stated_at desc
            ) as seniority
        from statements
    ) as ranked
    group by person_key
),

first_statements as (
    select
        person_key,
        sender,
        joined_at,
        home_store_code
    from statements
    qualify row_number() over (
        partition by person_key
        order by joined_at, sender, member_number_token, stated_at
    ) = 1
),

regrouped as (
    select
        person_key,
        max(changed_batch_id) as changed_batch_id
    from (
        select
            person_key,
            changed_batch_id
        from events
        union all
        select
            other_person_key as person_key,
            changed_batch_id
        from events
    ) as sides
    group by person_key
),

described as (
    select
        persons.person_key,
        coalesce(first_statements.sender, persons.sender) as sender,
        first_statements.joined_at,
        first_statements.home_store_code as first_store_code,
        traits.birth_decade,
        traits.age_band,
        traits.gender,
        coalesce(regrouped.changed_batch_id, 0) as regrouped_batch_id
    from persons
    left join first_statements on persons.person_key = first_statements.person_key
    left join traits on persons.person_key = traits.person_key
    left join regrouped on persons.person_key = regrouped.person_key
)

select * from described
