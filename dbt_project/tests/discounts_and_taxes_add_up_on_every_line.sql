{#- The discounts of a line are its discount_amount and its taxes its tax_amount, to the cent, on
    the line's business day: what the till details, its part of what was on the whole receipt, and
    the rest. No discount or tax is there without its line. -#}
{{ config(severity='error') }}

with

lines as (
    select
        sales_line_key,
        business_date,
        discount_amount,
        tax_amount
    from {{ ref('fct_sales_line') }}
    where {{ is_judged_day('business_date') }}
),

discounts as (
    select
        sales_line_key,
        business_date,
        sum(amount) as amount
    from {{ ref('fct_discount') }}
    where {{ is_judged_day('business_date') }}
    group by sales_line_key, business_date
),

taxes as (
    select
        sales_line_key,
        business_date,
        sum(tax_amount) as amount
    from {{ ref('fct_tax') }}
    where {{ is_judged_day('business_date') }}
    group by sales_line_key, business_date
),

differing as (
    select
        coalesce(lines.sales_line_key, discounts.sales_line_key) as sales_line_key,
        'discount' as detail,
        lines.discount_amount as line_amount,
        discounts.amount as detail_amount
    from lines
    full outer join discounts
        on
            lines.sales_line_key = discounts.sales_line_key
            and lines.business_date = discounts.business_date
    where
        lines.sales_line_key is null
        or lines.discount_amount != coalesce(discounts.amount, 0)

    union all

    select
        coalesce(lines.sales_line_key, taxes.sales_line_key) as sales_line_key,
        'tax' as detail,
        lines.tax_amount as line_amount,
        taxes.amount as detail_amount
    from lines
    full outer join taxes
        on
            lines.sales_line_key = taxes.sales_line_key
            and lines.business_date = taxes.business_date
    where lines.sales_line_key is null or lines.tax_amount != coalesce(taxes.amount, 0)
)

select * from differing
