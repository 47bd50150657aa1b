{{ config(materialized='table') }}

{%- set stored = stored_table('core', 'fct_order_fulfilment') %}

-- depends_on: {{ ref('int_fulfilment__lines_returned') }}

with

told as (
    select
        sender,
        order_id
    from {{ ref('stg_web_order__fulfilments') }} as fulfilments
    where batch_id > {{ built_batch_id() }}

    union

    select
        sender,
        order_id
    from {{ ref('stg_web_order__refunds') }} as refunds
    where batch_id > {{ built_batch_id() }}
),

days as (
    select business_date
    from {{ ref('int_sales__touched_days') }}

    union

    select headers.business_date
    from {{ ref('int_sales__headers_resolved') }} as headers
    inner join told
        on
            headers.template = 'web_order'
            and headers.sender = told.sender
            and headers.receipt_id = told.order_id
    {%- if stored %}

    union

    -- A return may come, change or name another order long after this one.
    select stored.business_date
    from {{ stored }} as stored
    left join {{ ref('int_fulfilment__lines_returned') }} as returned
        on stored.order_fulfilment_key = returned.sales_line_key
    where stored.returned_quantity != coalesce(returned.returned_quantity, 0)
    {%- endif %}
),

touched_days as (
    select business_date
    from days
    where {{ 'false' if replaces_all_days() else 'true' }}
)

select * from touched_days
