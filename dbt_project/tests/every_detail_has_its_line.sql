{#- Discounts and taxes on no line of a sale, by sender: their receipt or line has not come, was
    struck off or is no sale, or there is no line to allocate them to. They are in no fact. -#}
{{ config(severity='warn') }}

with

waiting as (
    select
        stated.sender,
        'discount' as detail,
        count(*) as row_count
    from {{ ref('int_sales__discounts_stated') }} as stated
    left join {{ ref('fct_discount') }} as discounts
        on
            stated.sender = discounts.sender
            and stated.receipt_id = discounts.receipt_id
            and stated.discount_number = discounts.discount_number
    where discounts.discount_key is null
    group by stated.sender

    union all

    select
        stated.sender,
        'tax' as detail,
        count(*) as row_count
    from {{ ref('int_sales__taxes_stated') }} as stated
    left join {{ ref('fct_tax') }} as taxes
        on
            stated.sender = taxes.sender
            and stated.receipt_id = taxes.receipt_id
            and stated.tax_number = taxes.tax_number
    where taxes.tax_key is null
    group by stated.sender
)

select * from waiting
