{#- In = out + typed as no sale, per sender and UTC day of the line: no accepted line is lost, made
    up or counted twice. Where only some days were written again the senders' numbers of lines must
    agree: sound_keys judges that no line stands twice, and the days were judged when written. -#}
{{ config(severity='error') }}

{%- set is_whole = replaces_all_days() %}

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

{%- if is_whole %}

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
{%- else %}

counted as (
    select
        sender,
        1 as accepted,
        0 as placed
    from accepted

    union all

    select
        sender,
        0 as accepted,
        1 as placed
    from placed
),

compared as (
    select
        sender,
        cast(null as integer) as utc_day_number,
        sum(accepted) as accepted_count,
        sum(placed) as placed_count,
        sum(placed) as distinct_count
    from counted
    group by sender
),
{%- endif %}

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
