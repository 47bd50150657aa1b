with

headers as (
    select
        record_key as transaction_key,
        'pos_standard' as template,
        sender,
        receipt_id,
        receipt_type as transaction_type,
        'store' as channel_code,
        store_code,
        terminal_code,
        operator_code_token,
        member_number_token,
        cast(null as varchar) as email_token,
        cast(null as varchar) as phone_token,
        cast(null as varchar) as visitor_id_token,
        sold_at,
        currency_code,
        line_count as declared_line_count,
        total_amount as declared_total_amount,
        coalesce(rounding_amount, 0) as rounding_amount,
        guest_count,
        duration_seconds,
        reason_code,
        {{ extra_field('extra_fields', 'tip_amount', 'decimal(18, 4)') }} as tip_amount,
        batch_id
    from {{ ref('stg_pos_standard__receipts') }} as receipts

    union all

    select
        record_key as transaction_key,
        'web_order' as template,
        sender,
        order_id as receipt_id,
        order_type as transaction_type,
        channel_code,
        store_code,
        cast(null as varchar) as terminal_code,
        cast(null as varchar) as operator_code_token,
        member_number_token,
        email_token,
        phone_token,
        visitor_id_token,
        ordered_at as sold_at,
        currency_code,
        cast(null as bigint) as declared_line_count,
        total_amount as declared_total_amount,
        cast(0 as decimal(18, 4)) as rounding_amount,
        cast(null as bigint) as guest_count,
        cast(null as bigint) as duration_seconds,
        cast(null as varchar) as reason_code,
        cast(null as decimal(18, 4)) as tip_amount,
        batch_id
    from {{ ref('stg_web_order__orders') }} as orders
)

select * from headers
