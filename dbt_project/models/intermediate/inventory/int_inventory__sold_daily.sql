{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='business_date',
        on_schema_change='fail',
        pre_hook="{{ clear_touched_days('int_inventory__touched_days') }}",
    )
}}

-- depends_on: {{ ref('int_inventory__touched_days') }}

with

sold as (
    select
        lines.sender,
        lines.store_durable_key,
        lines.product_durable_key,
        lines.business_date,
        max_by(lines.store_key, lines.sold_at) as store_key,
        max_by(lines.product_key, lines.sold_at) as product_key,
        sum(case when lines.line_type = 'sale' then lines.quantity else 0 end) as sold_quantity,
        sum(case when lines.line_type = 'return' then -lines.quantity else 0 end)
            as returned_quantity,
        max(lines.batch_id) as batch_id
    from {{ ref('fct_sales_line') }} as lines
    where
        lines.line_type in ('sale', 'return')
        and lines.product_durable_key >= 0
        and lines.store_durable_key >= 0
        and lines.sender in (
            select senders.sender from {{ ref('int_inventory__senders_described') }} as senders
        )
        and {{ is_of_touched_day('lines.business_date', 'int_inventory__touched_days') }}
    group by
        lines.sender, lines.store_durable_key, lines.product_durable_key, lines.business_date
    order by lines.business_date
)

select * from sold
