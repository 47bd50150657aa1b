with

-- A campaign is a promotion that coupons are printed, sent or redeemed for.
described as (
    select
        promotions.sender,
        promotions.promotion_code as campaign_code,
        promotions.name,
        promotions.promotion_key,
        promotions.mechanic,
        promotions.starts_on,
        promotions.ends_on,
        promotions.is_inferred,
        promotions.changed_batch_id
    from {{ ref('dim_promotion') }} as promotions
    inner join {{ ref('int_coupon__campaigns_collected') }} as collected
        on
            promotions.sender = collected.sender
            and promotions.promotion_code = collected.promotion_code
),

keyed as (
    select
        {{ surrogate_key(["'campaign'", 'sender', 'campaign_code']) }} as campaign_key,
        sender,
        campaign_code,
        name,
        promotion_key,
        mechanic,
        starts_on,
        ends_on,
        is_inferred,
        changed_batch_id
    from described
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(
        key_columns=['campaign_key', 'promotion_key'],
        name_columns=['name'],
        given={'is_inferred': 'false', 'changed_batch_id': '0'}
    ) }}
)

select * from members
