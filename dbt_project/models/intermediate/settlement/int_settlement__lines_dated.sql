with

-- Whatever is neither wallet is a bank's acquirer, by whatever name it signs its bills.
lines as (
    select
        record_key as settlement_line_key,
        sender,
        provider,
        case when provider in ('alipay', 'wechat') then provider else 'acquirer' end
            as provider_kind,
        reference_number,
        payment_reference,
        line_type,
        store_code,
        settled_at,
        {{ utc_day_number('settled_at') }} as utc_day_number,
        transacted_at,
        currency_code,
        gross_amount,
        fee_amount,
        net_amount,
        fee_share,
        merchant_discount_amount,
        card_type,
        receipt_id,
        authorisation_code,
        settlement_batch_id,
        batch_id
    from {{ ref('stg_settlement_line__lines') }}
),

at_stores as (
    select
        lines.settlement_line_key,
        lines.sender,
        lines.provider,
        lines.provider_kind,
        lines.reference_number,
        lines.payment_reference,
        lines.line_type,
        lines.settled_at,
        lines.utc_day_number,
        lines.transacted_at,
        lines.currency_code,
        lines.gross_amount,
        lines.fee_amount,
        lines.net_amount,
        lines.fee_share,
        lines.merchant_discount_amount,
        lines.card_type,
        lines.receipt_id,
        lines.authorisation_code,
        lines.settlement_batch_id,
        lines.batch_id,
        case when lines.store_code is null then -2 else coalesce(stores.store_key, -1) end
            as store_key,
        case when lines.store_code is null then -2 else coalesce(stores.store_durable_key, -1) end
            as store_durable_key,
        coalesce(stores.time_zone, 'UTC') as time_zone
    from lines
    left join {{ ref('dim_store') }} as stores
        on
            lines.sender = stores.sender
            and lines.store_code = stores.store_code
            and lines.settled_at >= stores.valid_from_at
            and lines.settled_at < stores.valid_to_at
),

on_the_wall as (
    select
        at_stores.settlement_line_key,
        at_stores.sender,
        at_stores.provider,
        at_stores.provider_kind,
        at_stores.reference_number,
        at_stores.payment_reference,
        at_stores.line_type,
        at_stores.store_key,
        at_stores.store_durable_key,
        at_stores.settled_at,
        cast({{ wall_clock('at_stores', 'settled_at') }} as date) as business_date,
        at_stores.transacted_at,
        at_stores.currency_code,
        at_stores.gross_amount,
        at_stores.fee_amount,
        at_stores.net_amount,
        at_stores.fee_share,
        at_stores.merchant_discount_amount,
        at_stores.card_type,
        at_stores.receipt_id,
        at_stores.authorisation_code,
        at_stores.settlement_batch_id,
        at_stores.batch_id
    from at_stores
    left join {{ ref('int_sales__offsets_dated') }} as offsets
        on
            at_stores.time_zone = offsets.time_zone
            and at_stores.utc_day_number = offsets.utc_day_number
),

-- A provider that numbers no payouts pays once a day and currency.
dated as (
    select
        settlement_line_key,
        sender,
        provider,
        provider_kind,
        reference_number,
        payment_reference,
        line_type,
        store_key,
        store_durable_key,
        settled_at,
        business_date,
        transacted_at,
        currency_code,
        gross_amount,
        fee_amount,
        net_amount,
        fee_share,
        coalesce(merchant_discount_amount, 0) as merchant_discount_amount,
        card_type,
        receipt_id,
        authorisation_code,
        coalesce(
            settlement_batch_id,
            concat(provider, ' ', currency_code, ' ', cast(business_date as varchar))
        ) as settlement_batch_code,
        batch_id
    from on_the_wall
)

select * from dated
