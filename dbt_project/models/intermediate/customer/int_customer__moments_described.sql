{% set purposes = ['marketing', 'profiling', 'sharing', 'sensitive'] %}

with

statements as (
    select
        person_key,
        sender,
        member_number_token,
        stated_at,
        stated_from_at,
        stated_until_at,
        joined_at,
        country_code,
        city,
        home_store_code,
        tier,
        status,
        batch_id,
        is_conflicted
    from {{ ref('int_customer__statements_resolved') }}
),

consents as (
    select
        person_key,
        purpose,
        changed_at,
        is_granted,
        batch_id,
        is_conflicted
    from {{ ref('int_customer__consents_resolved') }}
),

stated as (
    select
        person_key,
        stated_at,
        cast(null as varchar) as purpose,
        cast(null as boolean) as is_granted,
        batch_id,
        is_conflicted
    from statements
    union all
    select
        person_key,
        changed_at as stated_at,
        purpose,
        is_granted,
        batch_id,
        is_conflicted
    from consents
),

accounts as (
    select
        person_key,
        count(distinct concat(sender, '/', member_number_token)) as account_count
    from statements
    group by person_key
),

moments as (
    select
        person_key,
        stated_at,
        {%- for purpose in purposes %}
        max(case when purpose = '{{ purpose }}' then is_granted end) as {{ purpose }}_stated,
        {%- endfor %}
        max(batch_id) as batch_id,
        bool_or(is_conflicted) as is_conflicted
    from stated
    group by person_key, stated_at
),

consented as (
    select
        person_key,
        stated_at,
        {%- for purpose in purposes %}
        coalesce(
            {{ last_stated(purpose ~ '_stated', '(partition by person_key order by stated_at)') }},
            false
        ) as has_{{ purpose }}_consent,
        {%- endfor %}
        max(batch_id) over (partition by person_key order by stated_at) as batch_id_until_then,
        max(batch_id) over (partition by person_key) as batch_id_ever,
        is_conflicted
    from moments
),

-- Of several accounts the open one that was joined first speaks for the person.
described as (
    select
        consented.person_key,
        consented.stated_at,
        leaders.sender,
        leaders.country_code,
        leaders.city,
        leaders.home_store_code,
        leaders.tier,
        {%- for purpose in purposes %}
        consented.has_{{ purpose }}_consent,
        {%- endfor %}
        -- What held at a moment was stated until then, or by the account's first data, which reach
        -- back; which of several accounts led may change with any of their statements.
        case
            when accounts.account_count > 1 then consented.batch_id_ever
            else greatest(
                consented.batch_id_until_then,
                coalesce(leaders.batch_id, consented.batch_id_until_then)
            )
        end as batch_id,
        consented.is_conflicted
    from consented
    left join accounts on consented.person_key = accounts.person_key
    left join statements as leaders
        on
            consented.person_key = leaders.person_key
            and consented.stated_at >= leaders.stated_from_at
            and consented.stated_at < leaders.stated_until_at
    qualify row_number() over (
        partition by consented.person_key, consented.stated_at
        order by
            case when leaders.status = 'closed' then 1 else 0 end,
            leaders.joined_at,
            leaders.sender,
            leaders.member_number_token
    ) = 1
)

select * from described
