{#- Counts that differ from what the movements since the count before lead to: shrinkage, or
    movements that were not booked. Each stands in fct_inventory_daily as count_difference. -#}
{{ config(severity='warn') }}

with

differing as (
    select
        sender,
        store_durable_key,
        business_date,
        count(*) as product_count,
        sum(count_difference) as count_difference
    from {{ ref('fct_inventory_daily') }}
    where count_difference != 0
    group by sender, store_durable_key, business_date
)

select * from differing
