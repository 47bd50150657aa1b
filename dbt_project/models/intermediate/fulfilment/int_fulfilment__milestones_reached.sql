{%- set milestones = ['paid_at', 'picked_at', 'shipped_at', 'delivered_at', 'returned_at'] %}

with

parts as (
    select
        sender,
        order_id,
        line_number,
        delivery_method,
        carrier_code,
        store_code,
        {%- for milestone in milestones %}
        {{ milestone }},
        {%- endfor %}
        promised_at,
        cancelled_at,
        status in ('cancelled', 'unavailable') or cancelled_at is not null as is_cancelled
    from {{ ref('stg_web_order__fulfilments') }}
),

-- A milestone is reached when the last part that is still to come has reached it.
reached as (
    select
        sender,
        order_id,
        line_number,
        min(delivery_method) as delivery_method,
        min(carrier_code) as carrier_code,
        min(store_code) as store_code,
        {%- for milestone in milestones %}
        case
            when
                count(case when not is_cancelled then {{ milestone }} end)
                = count(case when not is_cancelled then 1 end)
                then max(case when not is_cancelled then {{ milestone }} end)
        end as {{ milestone }},
        {%- endfor %}
        max(case when not is_cancelled then promised_at end) as promised_at,
        case when min(case when is_cancelled then 1 else 0 end) = 1 then max(cancelled_at) end
            as cancelled_at,
        min(case when is_cancelled then 1 else 0 end) = 1 as is_cancelled
    from parts
    group by sender, order_id, line_number
)

select * from reached
