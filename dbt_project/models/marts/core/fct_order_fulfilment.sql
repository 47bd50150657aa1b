-- Grain: one row per line of goods of a web order
{# Made anew each time: a parcel may be corrected to another order, and there are few of them. #}

with

ordered as (
    select
        lines.sales_line_key as order_fulfilment_key,
        headers.transaction_key,
        headers.sender,
        headers.receipt_id as order_id,
        cast(lines.line_number as integer) as line_number,
        headers.business_date,
        headers.date_key,
        headers.time_of_day_key,
        headers.store_key,
        headers.store_durable_key,
        {{ member_key('lines.from_store_code', 'from_stores.store_durable_key') }}
            as from_store_durable_key,
        headers.channel_key,
        headers.customer_key,
        headers.customer_durable_key,
        {{ member_key('lines.product_code', 'products.product_key') }} as product_key,
        {{ member_key('lines.product_code', 'products.product_durable_key') }}
            as product_durable_key,
        {{ member_key('coalesce(lines.city, lines.country_code)', 'places.geography_key') }}
            as delivery_geography_key,
        lines.delivery_method,
        lines.carrier_code,
        lines.quantity as ordered_quantity,
        coalesce(returned.returned_quantity, 0) as returned_quantity,
        headers.sold_at as ordered_at,
        lines.paid_at,
        lines.picked_at,
        lines.shipped_at,
        lines.promised_at,
        lines.delivered_at,
        coalesce(lines.came_back_at, returned.returned_at) as returned_at,
        refunds.refunded_at,
        lines.cancelled_at,
        lines.is_cancelled,
        coalesce(refunds.refund_amount, 0) as refund_amount,
        headers.currency_code,
        headers.exchange_rate,
        greatest(lines.batch_id, headers.batch_id) as batch_id
    from {{ ref('int_sales__headers_resolved') }} as headers
    inner join {{ ref('int_fulfilment__lines_followed') }} as lines
        on headers.transaction_key = lines.transaction_key
    left join {{ ref('int_fulfilment__lines_refunded') }} as refunds
        on lines.sales_line_key = refunds.sales_line_key
    left join {{ ref('int_fulfilment__lines_returned') }} as returned
        on lines.sales_line_key = returned.sales_line_key
    left join {{ ref('dim_store') }} as from_stores
        on
            headers.sender = from_stores.sender
            and lines.from_store_code = from_stores.store_code
            and from_stores.is_current
    left join {{ ref('dim_product') }} as products
        on
            headers.sender = products.sender
            and lines.product_code = products.product_code
            and headers.sold_at >= products.valid_from_at
            and headers.sold_at < products.valid_to_at
    left join {{ ref('dim_geography') }} as places
        on
            coalesce(lines.country_code, '') = coalesce(places.country_code, '')
            and coalesce(lines.city, '') = coalesce(places.city, '')
            and places.geography_key >= 0
    where headers.template = 'web_order'
),

fulfilments as (
    select
        order_fulfilment_key,
        transaction_key,
        sender,
        order_id,
        line_number,
        business_date,
        date_key,
        time_of_day_key,
        store_key,
        store_durable_key,
        from_store_durable_key,
        channel_key,
        customer_key,
        customer_durable_key,
        product_key,
        product_durable_key,
        delivery_geography_key,
        delivery_method,
        carrier_code,
        case
            when is_cancelled then 'cancelled'
            when returned_at is not null then 'returned'
            when delivered_at is not null then 'delivered'
            when shipped_at is not null then 'shipped'
            when picked_at is not null then 'picked'
            when paid_at is not null then 'paid'
            else 'ordered'
        end as status,
        ordered_quantity,
        returned_quantity,
        ordered_at,
        paid_at,
        picked_at,
        shipped_at,
        promised_at,
        delivered_at,
        returned_at,
        refunded_at,
        cancelled_at,
        {{ hours_between('ordered_at', 'paid_at') }} as ordered_to_paid_hours,
        {{ hours_between('paid_at', 'picked_at') }} as paid_to_picked_hours,
        {{ hours_between('picked_at', 'shipped_at') }} as picked_to_shipped_hours,
        {{ hours_between('shipped_at', 'delivered_at') }} as shipped_to_delivered_hours,
        {{ hours_between('ordered_at', 'delivered_at') }} as ordered_to_delivered_hours,
        {{ hours_between('delivered_at', 'returned_at') }} as delivered_to_returned_hours,
        is_cancelled,
        delivered_at > promised_at as is_late,
        refund_amount,
        {{ reporting_amount('refund_amount', 'exchange_rate') }} as refund_amount_reporting,
        currency_code,
        exchange_rate,
        batch_id
    from ordered
    order by business_date
)

select * from fulfilments
