with

accounts as (
    select
        sender,
        identifier_token,
        person_key
    from {{ ref('stg_identity__person_identifiers') }}
    where identifier_kind = 'member' and person_key is not null
),

offers as (
    select
        sender,
        member_number_token,
        cast(null as date) as redeemed_on
    from {{ ref('stg_coupon__targets') }}
    union all
    select
        sender,
        member_number_token,
        redeemed_on
    from {{ ref('stg_coupon__redemptions') }}
),

summarised as (
    select
        accounts.person_key as customer_durable_key,
        count(case when offers.redeemed_on is null then 1 end) as coupon_offer_count,
        count(offers.redeemed_on) as coupon_redemption_count,
        max(offers.redeemed_on) as last_coupon_date
    from offers
    inner join accounts
        on
            offers.sender = accounts.sender
            and offers.member_number_token = accounts.identifier_token
    group by accounts.person_key
)

select * from summarised
