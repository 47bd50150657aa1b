with

headers as (
    select * from {{ ref('int_sales__headers_resolved') }}
),

sales_lines as (
    select * from {{ ref('fct_sales_line') }}
),

lines_typed_otherwise as (
    select * from {{ ref('int_sales__lines_typed_otherwise') }}
),

tenders as (
    select * from {{ ref('fct_tender') }}
),

-- Lines that count; on receipts that are no sales, what stands on them. Struck-off lines are none.
counted_lines as (
    select
        business_date,
        transaction_key,
        quantity,
        list_amount,
        discount_amount,
        tax_amount,
        list_amount_reporting,
        discount_amount_reporting,
        tax_amount_reporting
    from sales_lines

    union all

    select
        business_date,
        transaction_key,
        quantity,
        list_amount,
        discount_amount,
        tax_amount,
        list_amount_reporting,
        discount_amount_reporting,
        tax_amount_reporting
    from lines_typed_otherwise
    where transaction_key is not null and line_type != 'void'
),

line_totals as (
    select
        business_date,
        transaction_key,
        count(*) as line_count,
        sum(quantity) as quantity,
        sum(list_amount) as list_amount,
        sum(discount_amount) as discount_amount,
        sum(tax_amount) as tax_amount,
        sum(list_amount_reporting) as list_amount_reporting,
        sum(discount_amount_reporting) as discount_amount_reporting,
        sum(tax_amount_reporting) as tax_amount_reporting
    from counted_lines
    group by business_date, transaction_key
),

tender_totals as (
    select
        business_date,
        transaction_key,
        sum(amount) as tender_amount,
        max(instalment_count) as instalment_count,
        -- One currency, and which: amounts in several cannot be added up to the cent.
        min(currency_code) as first_currency_code,
        max(currency_code) as last_currency_code
    from tenders
    group by business_date, transaction_key
),

totalled as (
    select
        headers.business_date,
        headers.transaction_key,
        cast(coalesce(line_totals.line_count, 0) as integer) as line_count,
        cast(coalesce(line_totals.quantity, 0) as decimal(18, 3)) as quantity,
        {%- for column in ['list_amount', 'discount_amount', 'tax_amount'] %}
        cast(coalesce(line_totals.{{ column }}, 0) as decimal(18, 4)) as {{ column }},
        case
            when headers.exchange_rate is not null
                then cast(coalesce(line_totals.{{ column }}_reporting, 0) as decimal(18, 4))
        end as {{ column }}_reporting,
        {%- endfor %}
        cast(tender_totals.tender_amount as decimal(18, 4)) as tender_amount,
        tender_totals.transaction_key is not null as is_tender_recorded,
        coalesce(
            tender_totals.first_currency_code = headers.currency_code
            and tender_totals.last_currency_code = headers.currency_code,
            false
        ) as is_tender_of_one_currency,
        tender_totals.instalment_count
    from headers
    left join line_totals
        on
            headers.business_date = line_totals.business_date
            and headers.transaction_key = line_totals.transaction_key
    left join tender_totals
        on
            headers.business_date = tender_totals.business_date
            and headers.transaction_key = tender_totals.transaction_key
)

select * from totalled
