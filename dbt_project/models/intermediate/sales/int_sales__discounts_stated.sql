with

stated as (
    select
        'pos_standard' as template,
        discounts.sender,
        discounts.receipt_id,
        cast(discounts.discount_number as integer) as discount_number,
        cast(discounts.line_number as integer) as line_number,
        discounts.discount_type,
        {{ member_key('discounts.promotion_code', 'promotions.promotion_key') }} as promotion_key,
        discounts.coupon_code,
        {{ member_key('discounts.reason_code', 'reasons.reason_key') }} as reason_key,
        discounts.amount,
        cast(discounts.points as integer) as points,
        discounts.record_key as discount_key,
        discounts.batch_id
    from {{ ref('stg_pos_standard__discounts') }} as discounts
    left join {{ ref('dim_promotion') }} as promotions
        on
            discounts.sender = promotions.sender
            and discounts.promotion_code = promotions.promotion_code
    left join {{ ref('dim_reason') }} as reasons
        on discounts.sender = reasons.sender and discounts.reason_code = reasons.reason_code
)

select * from stated
