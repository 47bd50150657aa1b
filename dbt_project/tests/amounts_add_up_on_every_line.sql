{#- Net is list less discount and gross is net plus tax, on every line and in both currencies. -#}
{{ config(severity='error') }}

with

wrong as (
    select sales_line_key
    from {{ ref('fct_sales_line') }}
    where
        {{ is_judged_day('business_date') }}
        and (
            net_amount != list_amount - discount_amount
            or gross_incl_tax_amount != net_amount + tax_amount
            or net_amount_reporting != list_amount_reporting - discount_amount_reporting
            or gross_incl_tax_amount_reporting != net_amount_reporting + tax_amount_reporting
        )
)

select * from wrong
