{%- set records = [
    'int_tender__codes_collected', 'stg_card_transaction__transactions',
    'stg_settlement_line__lines',
] %}

with

spellings as (
    {%- for record in records %}
    select card_issuer
    from {{ ref(record) }} as {{ record }}
    where card_issuer is not null
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

-- A bank is the same at every sender, however it writes capitals and blanks.
described as (
    select
        {{ card_issuer_code('card_issuer') }} as card_issuer_code,
        min(trim(card_issuer)) as name
    from spellings
    group by {{ card_issuer_code('card_issuer') }}
),

keyed as (
    select
        {{ surrogate_key(["'card_issuer'", 'card_issuer_code']) }} as card_issuer_key,
        card_issuer_code,
        name
    from described
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(key_columns=['card_issuer_key'], name_columns=['name']) }}
)

select * from members
