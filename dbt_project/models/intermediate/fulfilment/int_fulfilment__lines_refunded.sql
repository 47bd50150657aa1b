with

refunded as (
    select
        {{ record_key('web_order__line', 'sender', ['order_id', 'line_number']) }}
            as sales_line_key,
        cast(sum(refund_amount) as decimal(18, 4)) as refund_amount,
        max(refunded_at) as refunded_at
    from {{ ref('stg_web_order__refunds') }}
    where status = 'paid' and line_number is not null
    group by sender, order_id, line_number
)

select * from refunded
