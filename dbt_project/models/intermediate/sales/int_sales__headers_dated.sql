with

at_stores as (
    select
        headers.transaction_key,
        headers.template,
        headers.sender,
        headers.receipt_id,
        headers.transaction_type,
        headers.channel_code,
        headers.store_code,
        headers.terminal_code,
        headers.operator_code_token,
        headers.member_number_token,
        headers.email_token,
        headers.phone_token,
        headers.visitor_id_token,
        headers.sold_at,
        headers.currency_code,
        headers.declared_line_count,
        headers.declared_total_amount,
        headers.rounding_amount,
        headers.guest_count,
        headers.duration_seconds,
        headers.reason_code,
        headers.tip_amount,
        headers.batch_id,
        {{ utc_day_number('headers.sold_at') }} as utc_day_number,
        coalesce(stores.store_key, -1) as store_key,
        coalesce(stores.store_durable_key, -1) as store_durable_key,
        -- A shop nobody has described yet keeps UTC until its master data come.
        coalesce(stores.time_zone, 'UTC') as time_zone,
        coalesce(stores.cut_off_hour, 0) as cut_off_hour
    from {{ ref('int_sales__headers_unioned') }} as headers
    left join {{ ref('dim_store') }} as stores
        on
            headers.sender = stores.sender
            and headers.store_code = stores.store_code
            and headers.sold_at >= stores.valid_from_at
            and headers.sold_at < stores.valid_to_at
),

on_the_wall as (
    select
        at_stores.transaction_key,
        at_stores.template,
        at_stores.sender,
        at_stores.receipt_id,
        at_stores.transaction_type,
        at_stores.channel_code,
        at_stores.store_code,
        at_stores.terminal_code,
        at_stores.operator_code_token,
        at_stores.member_number_token,
        at_stores.email_token,
        at_stores.phone_token,
        at_stores.visitor_id_token,
        at_stores.sold_at,
        at_stores.currency_code,
        at_stores.declared_line_count,
        at_stores.declared_total_amount,
        at_stores.rounding_amount,
        at_stores.guest_count,
        at_stores.duration_seconds,
        at_stores.reason_code,
        at_stores.tip_amount,
        at_stores.batch_id,
        at_stores.store_key,
        at_stores.store_durable_key,
        at_stores.cut_off_hour,
        {{ wall_clock('at_stores', 'sold_at') }} as sold_at_local,
        coalesce(
            at_stores.sold_at >= offsets.repeated_from_at
            and at_stores.sold_at < offsets.repeated_to_at,
            false
        ) as is_local_time_ambiguous
    from at_stores
    left join {{ ref('int_sales__offsets_dated') }} as offsets
        on
            at_stores.time_zone = offsets.time_zone
            and at_stores.utc_day_number = offsets.utc_day_number
),

dated as (
    select
        transaction_key,
        template,
        sender,
        receipt_id,
        transaction_type,
        channel_code,
        store_code,
        terminal_code,
        operator_code_token,
        member_number_token,
        email_token,
        phone_token,
        visitor_id_token,
        sold_at,
        sold_at_local,
        {{ business_date('sold_at_local', 'cut_off_hour') }} as business_date,
        is_local_time_ambiguous,
        store_key,
        store_durable_key,
        currency_code,
        declared_line_count,
        declared_total_amount,
        rounding_amount,
        guest_count,
        duration_seconds,
        reason_code,
        tip_amount,
        batch_id
    from on_the_wall
)

select * from dated
