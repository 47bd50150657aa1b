{#-
    What every receipt comes to, from its lines and tenders: the SQL of
    int_sales__receipts_totalled, for all days or for those that `is_counted_day` lets through. It
    stands inside the sums, where the engine skips what it leaves out; it would not carry it there
    through the joins.
-#}
{% macro receipts_totalled(is_counted_day='true') -%}
{%- set measures = [
    'quantity',
    'list_amount',
    'discount_amount',
    'tax_amount',
    'list_amount_reporting',
    'discount_amount_reporting',
    'tax_amount_reporting',
] %}

with

-- Lines that count; on receipts that are no sales, what stands on them. Struck-off lines are none,
-- gift cards and top-ups are paid for but no sale.
delivered_lines as (
    select
        business_date,
        transaction_key,
        {%- for measure in measures %}
        {{ measure }},
        {%- endfor %}
        true as is_counted,
        cast(0 as decimal(18, 4)) as stored_value_amount
    from {{ ref('fct_sales_line') }}
    where {{ is_counted_day }}

    union all

    select
        business_date,
        transaction_key,
        {%- for measure in measures %}
        {{ measure }},
        {%- endfor %}
        line_type not in ('void', 'stored_value') as is_counted,
        case
            when line_type = 'stored_value' then list_amount - discount_amount + tax_amount else 0
        end as stored_value_amount
    from {{ ref('int_sales__lines_typed_otherwise') }}
    where transaction_key is not null and {{ is_counted_day }}
),

line_totals as (
    select
        business_date,
        transaction_key,
        {%- for measure in measures %}
        sum({{ measure }}) filter (where is_counted) as {{ measure }},
        {%- endfor %}
        sum(stored_value_amount) as stored_value_amount,
        count(*) filter (where is_counted) as line_count,
        count(*) as delivered_line_count
    from delivered_lines
    group by business_date, transaction_key
),

tender_totals as (
    select
        business_date,
        transaction_key,
        sum(amount) as tender_amount,
        max(instalment_count) as instalment_count,
        sum(tip_amount) as tender_tip_amount,
        -- One currency, and which: amounts in several cannot be added up to the cent.
        min(currency_code) as first_currency_code,
        max(currency_code) as last_currency_code
    from {{ ref('fct_tender') }}
    where {{ is_counted_day }}
    group by business_date, transaction_key
),

totalled as (
    select
        receipts.business_date,
        receipts.transaction_key,
        cast(coalesce(line_totals.line_count, 0) as integer) as line_count,
        cast(coalesce(line_totals.delivered_line_count, 0) as integer) as delivered_line_count,
        cast(coalesce(line_totals.quantity, 0) as decimal(18, 3)) as quantity,
        {%- for column in ['list_amount', 'discount_amount', 'tax_amount'] %}
        cast(coalesce(line_totals.{{ column }}, 0) as decimal(18, 4)) as {{ column }},
        case
            when receipts.exchange_rate is not null
                then cast(coalesce(line_totals.{{ column }}_reporting, 0) as decimal(18, 4))
        end as {{ column }}_reporting,
        {%- endfor %}
        cast(coalesce(line_totals.stored_value_amount, 0) as decimal(18, 4))
            as stored_value_amount,
        cast(tender_totals.tender_amount as decimal(18, 4)) as tender_amount,
        tender_totals.transaction_key is not null as is_tender_recorded,
        coalesce(
            tender_totals.first_currency_code = receipts.currency_code
            and tender_totals.last_currency_code = receipts.currency_code,
            false
        ) as is_tender_of_one_currency,
        tender_totals.instalment_count,
        cast(tender_totals.tender_tip_amount as decimal(18, 4)) as tender_tip_amount
    from {{ ref('int_sales__headers_resolved') }} as receipts
    left join line_totals
        on
            receipts.business_date = line_totals.business_date
            and receipts.transaction_key = line_totals.transaction_key
    left join tender_totals
        on
            receipts.business_date = tender_totals.business_date
            and receipts.transaction_key = tender_totals.transaction_key
)

select
    business_date,
    transaction_key,
    line_count,
    delivered_line_count,
    quantity,
    {%- for column in ['list_amount', 'discount_amount', 'tax_amount'] %}
    {{ column }},
    {{ column }}_reporting,
    {%- endfor %}
    stored_value_amount,
    tender_amount,
    is_tender_recorded,
    is_tender_of_one_currency,
    instalment_count,
    tender_tip_amount
from totalled
{%- endmacro %}
