{{ config(materialized='table') }}

with

-- A sender's sales count from its first stock record on, whenever they were made.
new_senders as (
    select sender
    from (
        select
            sender,
            batch_id
        from {{ ref('stg_stock_count__counts') }} as counts

        union all

        select
            sender,
            batch_id
        from {{ ref('stg_stock_movement__movements') }} as movements
    ) as stock_records
    group by sender
    having min(batch_id) > {{ built_batch_id() }}
),

touched_days as (
    select business_date
    from {{ ref('int_sales__touched_days') }} as touched

    union

    select lines.business_date
    from {{ ref('fct_sales_line') }} as lines
    inner join new_senders on lines.sender = new_senders.sender
    where {{ 'false' if replaces_all_days() else 'true' }}
)

select * from touched_days
