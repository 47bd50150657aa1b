with

accounts as (
    select
        sender,
        identifier_token,
        person_key
    from {{ ref('stg_identity__person_identifiers') }}
    where identifier_kind = 'member' and person_key is not null
),

stated as (
    select
        accounts.person_key as customer_durable_key,
        case
            when members.household_number_token is not null
                then
                    {{ surrogate_key([
                        "'household'", 'members.sender', 'members.household_number_token'
                    ]) }}
        end as household_key,
        members.household_size,
        members.income_band
    from {{ ref('stg_member__members') }} as members
    inner join accounts
        on
            members.sender = accounts.sender
            and members.member_number_token = accounts.identifier_token
    -- The latest that any account of the person says.
    qualify row_number() over (
        partition by accounts.person_key
        order by
            members.updated_at desc, members.sender asc, members.member_number_token asc
    ) = 1
),

resolved as (
    select
        customer_durable_key,
        household_key,
        case
            when household_key is not null then count(*) over (partition by household_key)
        end as household_customer_count,
        household_size,
        income_band
    from stated
)

select * from resolved
