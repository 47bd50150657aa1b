with

followed as (
    select
        lines.sales_line_key,
        orders.record_key as transaction_key,
        lines.line_number,
        lines.line_type,
        lines.product_code,
        lines.quantity,
        upper(trim(coalesce(orders.country_code, stores.country_code))) as country_code,
        trim(orders.city) as city,
        coalesce(own.delivery_method, whole.delivery_method) as delivery_method,
        coalesce(own.carrier_code, whole.carrier_code) as carrier_code,
        coalesce(own.store_code, whole.store_code) as from_store_code,
        -- What is said of the line counts before what is said of the whole order.
        coalesce(own.paid_at, whole.paid_at, orders.paid_at) as paid_at,
        {%- for moment in ['picked_at', 'shipped_at', 'promised_at', 'delivered_at'] %}
        case when own.order_id is not null then own.{{ moment }} else whole.{{ moment }} end
            as {{ moment }},
        {%- endfor %}
        case when own.order_id is not null then own.returned_at else whole.returned_at end
            as came_back_at,
        coalesce(own.cancelled_at, whole.cancelled_at, orders.cancelled_at) as cancelled_at,
        coalesce(own.is_cancelled, whole.is_cancelled, false)
        or orders.cancelled_at is not null
        or orders.order_type = 'void'
        or lines.line_type = 'void' as is_cancelled,
        greatest(lines.batch_id, orders.batch_id) as batch_id
    from {{ ref('int_sales__lines_unioned') }} as lines
    inner join {{ ref('stg_web_order__orders') }} as orders
        on lines.sender = orders.sender and lines.receipt_id = orders.order_id
    left join {{ ref('int_fulfilment__milestones_reached') }} as own
        on
            lines.sender = own.sender
            and lines.receipt_id = own.order_id
            and lines.line_number = own.line_number
    left join {{ ref('int_fulfilment__milestones_reached') }} as whole
        on
            lines.sender = whole.sender
            and lines.receipt_id = whole.order_id
            and whole.line_number is null
    left join {{ ref('dim_store') }} as stores
        on
            orders.sender = stores.sender
            and orders.store_code = stores.store_code
            and stores.is_current
    where lines.template = 'web_order' and lines.line_type in ('sale', 'void')
)

select * from followed
