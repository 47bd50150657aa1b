with

promotions as (
    select
        sender,
        promotion_code,
        name,
        mechanic,
        discount_share,
        funding,
        starts_on,
        ends_on,
        batch_id
    from {{ ref('stg_promotion__promotions') }}
),

collected as (
    select
        sender,
        promotion_code
    from {{ ref('int_promotion__codes_collected') }}
),

described as (
    select
        coalesce(promotions.sender, collected.sender) as sender,
        coalesce(promotions.promotion_code, collected.promotion_code) as promotion_code,
        coalesce(promotions.name, promotions.promotion_code, collected.promotion_code) as name,
        promotions.mechanic,
        promotions.discount_share,
        promotions.funding,
        promotions.starts_on,
        promotions.ends_on,
        promotions.promotion_code is null as is_inferred,
        coalesce(promotions.batch_id, 0) as changed_batch_id
    from promotions
    full outer join collected
        on
            promotions.sender = collected.sender
            and promotions.promotion_code = collected.promotion_code
),

keyed as (
    select
        {{ surrogate_key(["'promotion'", 'sender', 'promotion_code']) }} as promotion_key,
        sender,
        promotion_code,
        name,
        mechanic,
        discount_share,
        funding,
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
        key_columns=['promotion_key'],
        name_columns=['name'],
        given={'is_inferred': 'false', 'changed_batch_id': '0'}
    ) }}
)

select * from members
