with

-- The canonical codes of the templates; a feed maps its sender's own words onto them.
listed as (
    select
        tender_types.tender_type_code,
        tender_types.name,
        tender_types.family
    from (
        values
        ('cash', 'Cash', 'cash'),
        ('card_chip', 'Bank card, chip', 'card'),
        ('card_contactless', 'Bank card, contactless', 'card'),
        ('card_magnetic', 'Bank card, magnetic stripe', 'card'),
        ('card_online', 'Bank card, online', 'card'),
        ('wallet', 'Mobile wallet', 'wallet'),
        ('alipay', 'Alipay', 'wallet'),
        ('wechat', 'WeChat Pay', 'wallet'),
        ('gift_card', 'Gift card', 'stored value'),
        ('prepaid', 'Prepaid card', 'stored value'),
        ('points', 'Loyalty points', 'points'),
        ('voucher', 'Voucher', 'voucher'),
        ('instalments', 'Instalments', 'credit'),
        ('account', 'Customer account', 'credit')
    ) as tender_types (tender_type_code, name, family)
),

seen as (
    select distinct tender_type_code
    from {{ ref('int_tender__codes_collected') }}
),

described as (
    select
        coalesce(listed.tender_type_code, seen.tender_type_code) as tender_type_code,
        coalesce(listed.name, seen.tender_type_code) as name,
        coalesce(listed.family, 'unknown') as family,
        listed.tender_type_code is null as is_inferred
    from listed
    full outer join seen on listed.tender_type_code = seen.tender_type_code
),

keyed as (
    select
        {{ surrogate_key(["'tender_type'", 'tender_type_code']) }} as tender_type_key,
        tender_type_code,
        name,
        family,
        is_inferred
    from described
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(
        key_columns=['tender_type_key'],
        name_columns=['name'],
        given={'is_inferred': 'false'}
    ) }}
)

select * from members
