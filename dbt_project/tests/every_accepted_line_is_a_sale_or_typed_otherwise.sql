{#- In = out + typed as no sale, per sender and UTC day of the line: no accepted line is lost, made
    up or counted twice. -#}
{{ config(severity='error') }}

with

accepted as (
    select
        sales_line_key,
        sender,
        {{ utc_day_number('sold_at') }} as utc_day_number
    from {{ ref('int_sales__lines_unioned') }}
),

placed as (
    select
        sales_line_key,
        sender
    from {{ ref('fct_sales_line') }}
    union all
    select
        sales_line_key,
        sender
    from {{ ref('int_sales__lines_typed_otherwise') }}
),

compared as (
    select
        coalesce(accepted.sender, placed.sender) as sender,
        accepted.utc_day_number,
        count(accepted.sales_line_key) as accepted_count,
        count(placed.sales_line_key) as placed_count,
        count(distinct placed.sales_line_key) as distinct_count
    from accepted
    full outer join placed on accepted.sales_line_key = placed.sales_line_key
    group by coalesce(accepted.sender, placed.sender), accepted.utc_day_number
),

differing as (
    select
        sender,
        utc_day_number,
        accepted_count,
        placed_count,
        distinct_count
    from compared
    where accepted_count != placed_count or placed_count != distinct_count
)

select * from differing
