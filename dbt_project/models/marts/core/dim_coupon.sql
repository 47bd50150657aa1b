with

described as (
    select
        collected.sender,
        collected.coupon_code,
        coalesce(summed.name, collected.coupon_code) as name,
        summed.discount_amount,
        summed.discount_share,
        summed.minimum_spend_amount,
        summed.currency_code,
        summed.starts_on,
        summed.ends_on,
        coalesce(summed.campaign_count, 0) as campaign_count,
        coalesce(summed.product_count, 0) as product_count,
        summed.coupon_code is null as is_inferred,
        coalesce(summed.changed_batch_id, 0) as changed_batch_id
    from {{ ref('int_coupon__codes_collected') }} as collected
    left join {{ ref('int_coupon__coupons_summed') }} as summed
        on collected.sender = summed.sender and collected.coupon_code = summed.coupon_code
),

keyed as (
    select
        {{ surrogate_key(["'coupon'", 'sender', 'coupon_code']) }} as coupon_key,
        sender,
        coupon_code,
        name,
        discount_amount,
        discount_share,
        minimum_spend_amount,
        currency_code,
        starts_on,
        ends_on,
        campaign_count,
        product_count,
        is_inferred,
        changed_batch_id
    from described
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(
        key_columns=['coupon_key'],
        name_columns=['name'],
        given={
            'campaign_count': '0',
            'product_count': '0',
            'is_inferred': 'false',
            'changed_batch_id': '0',
        }
    ) }}
)

select * from members
