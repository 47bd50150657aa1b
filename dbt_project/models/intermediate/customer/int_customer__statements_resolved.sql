with

identifiers as (
    select
        sender,
        identifier_token,
        person_key,
        changed_batch_id
    from {{ ref('stg_identity__person_identifiers') }}
    where identifier_kind = 'member' and person_key is not null
),

members as (
    select
        members.sender,
        members.member_number_token,
        members.updated_at as stated_at,
        coalesce(members.joined_at, members.updated_at) as joined_at,
        members.birth_date_decade as birth_decade,
        members.age_band,
        members.gender,
        members.country_code,
        members.city,
        members.home_store_code,
        members.tier,
        members.status,
        members.batch_id,
        {{ is_conflicted('member__member', 'members') }} as is_conflicted
    from {{ ref('stg_member__members') }} as members
),

resolved as (
    select
        identifiers.person_key,
        members.sender,
        members.member_number_token,
        members.stated_at,
        min(members.joined_at) over (partition by members.sender, members.member_number_token)
            as joined_at,
        members.birth_decade,
        members.age_band,
        members.gender,
        members.country_code,
        members.city,
        members.home_store_code,
        members.tier,
        members.status,
        -- The account's first data reach back: a consent may be on file before the account is.
        case
            when
                lag(members.stated_at) over (
                    partition by members.sender, members.member_number_token
                    order by members.stated_at
                ) is null
                then {{ beginning_of_time() }}
            else members.stated_at
        end as stated_from_at,
        coalesce(
            lead(members.stated_at) over (
                partition by members.sender, members.member_number_token
                order by members.stated_at
            ),
            {{ end_of_time() }}
        ) as stated_until_at,
        greatest(members.batch_id, identifiers.changed_batch_id) as batch_id,
        members.is_conflicted
    from members
    inner join identifiers
        on
            members.sender = identifiers.sender
            and members.member_number_token = identifiers.identifier_token
)

select * from resolved
