{#- Every mart of sales holds all of net sales, in every currency. -#}
with

expected as (
    select
        currency_code,
        sum(net_amount) as net_amount
    from {{ ref('fct_sales_line') }}
    group by currency_code
),

found as (
    select
        'sales_daily' as mart,
        currency_code,
        sum(net_sales_amount) as net_amount
    from {{ ref('sales_daily') }}
    group by currency_code

    union all

    select
        'sales_by_category_daily' as mart,
        currency_code,
        sum(net_sales_amount) as net_amount
    from {{ ref('sales_by_category_daily') }}
    group by currency_code

    union all

    select
        'sales_by_sale_date' as mart,
        currency_code,
        sum(net_sales_by_sale_date_amount) as net_amount
    from {{ ref('sales_by_sale_date') }}
    group by currency_code
)

select
    found.mart,
    found.currency_code,
    found.net_amount,
    expected.net_amount as expected_amount
from found
full outer join expected on found.currency_code = expected.currency_code
where coalesce(found.net_amount, 0) != coalesce(expected.net_amount, 0)
