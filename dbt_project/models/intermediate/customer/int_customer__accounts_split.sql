with

statements as (
    select
        members.sender,
        members.member_number_token,
        members.updated_at as stated_at,
        members.joined_at,
        members.programme_code,
        members.tier,
        members.status,
        members.expires_on,
        members.home_store_code,
        members.batch_id,
        {{ is_conflicted('member__member', 'members') }} as is_conflicted
    from {{ ref('stg_member__members') }} as members
),

versions as (
    {{ version_intervals(
        'statements',
        ['sender', 'member_number_token'],
        ['programme_code', 'tier', 'status', 'expires_on']
    ) }}
),

joined as (
    select
        sender,
        member_number_token,
        min(coalesce(joined_at, stated_at)) as joined_at,
        min_by(home_store_code, stated_at) as first_store_code
    from statements
    group by sender, member_number_token
),

described as (
    select
        versions.sender,
        versions.member_number_token,
        versions.version_number,
        joined.joined_at,
        joined.first_store_code,
        statements.programme_code,
        statements.tier,
        statements.status,
        statements.expires_on,
        versions.changed_at,
        versions.valid_from_at,
        versions.valid_to_at,
        versions.is_current,
        versions.changed_batch_id
    from versions
    inner join statements
        on
            versions.sender = statements.sender
            and versions.member_number_token = statements.member_number_token
            and versions.last_stated_at = statements.stated_at
    inner join joined
        on
            versions.sender = joined.sender
            and versions.member_number_token = joined.member_number_token
)

select * from described
