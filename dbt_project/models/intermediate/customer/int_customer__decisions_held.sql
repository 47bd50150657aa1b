{%- set kinds = {
    'member': 'member_number_token',
    'email': 'email_token',
    'phone': 'phone_token',
    'card': 'card_number_token',
    'handle': 'handle_token',
    'visitor': 'visitor_id_token',
} -%}
{%- set sides = ['left', 'right'] %}

with

decisions as (
    select
        decision_id,
        decision,
        decided_at,
        {%- for side in sides %}
        case
            {%- for kind, column in kinds.items() %}
            when {{ side }}_{{ column }} is not null then '{{ kind }}'
            {%- endfor %}
        end as {{ side }}_kind,
        coalesce(
            {%- for column in kinds.values() %}
            {{ side }}_{{ column }}{{ ',' if not loop.last }}
            {%- endfor %}
        ) as {{ side }}_token,
        coalesce({{ side }}_sender, sender) as {{ side }}_sender,
        {%- endfor %}
        sender
    from {{ ref('stg_identity_decision__decisions') }}
),

ends as (
    {%- for side in sides %}
    select
        decision_id,
        decision,
        decided_at,
        {{ side }}_kind as identifier_kind,
        {{ side }}_token as identifier_token,
        case
            when {{ side }}_kind in ('member', 'handle', 'visitor') then {{ side }}_sender
            else '*'
        end as sender,
        least(left_kind, right_kind) as first_kind,
        greatest(left_kind, right_kind) as second_kind,
        least(left_token, right_token) as first_token,
        greatest(left_token, right_token) as second_token
    from decisions
    where left_token is not null and right_token is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- Of a pair the latest decision holds; a withdrawal in the same moment before what it withdraws.
latest as (
    select
        identifier_kind,
        identifier_token,
        sender,
        decision_id,
        decision,
        decided_at
    from ends
    qualify row_number() over (
        partition by
            sender, identifier_kind, identifier_token, first_kind, second_kind, first_token,
            second_token
        order by
            decided_at desc,
            case decision when 'withdraw' then 1 when 'forbid' then 2 else 3 end,
            decision_id desc
    ) = 1
),

held as (
    select
        sender,
        identifier_kind,
        identifier_token,
        decision,
        decision_id,
        decided_at
    from latest
    where decision != 'withdraw'
    qualify row_number() over (
        partition by sender, identifier_kind, identifier_token
        order by decided_at desc, decision_id desc
    ) = 1
)

select * from held
