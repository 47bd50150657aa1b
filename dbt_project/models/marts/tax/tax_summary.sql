-- Grain: one row per month, store, tax class, authority and rate

with

months as (
    select
        cast(date_trunc('month', business_date) as date) as month_start_date,
        sender,
        store_durable_key,
        tax_class_key,
        tax_authority_code,
        tax_share,
        currency_code,
        sum(line_count) as line_count,
        sum(base_amount) as base_amount,
        sum(tax_amount) as tax_amount,
        sum(base_amount_reporting) as base_amount_reporting,
        sum(tax_amount_reporting) as tax_amount_reporting
    from {{ ref('int_tax__days_summed') }}
    group by
        cast(date_trunc('month', business_date) as date), sender, store_durable_key,
        tax_class_key, tax_authority_code, tax_share, currency_code
),

-- Where no rate is stated, what was charged shows it: tax per base.
described as (
    select
        {{ surrogate_key([
            "'tax_summary'",
            'months.month_start_date',
            'months.sender',
            'months.store_durable_key',
            'months.tax_class_key',
            'months.tax_authority_code',
            'months.tax_share',
            'months.currency_code',
        ]) }} as tax_summary_key,
        months.month_start_date,
        months.sender,
        stores.country_code,
        months.store_durable_key,
        stores.name as store_name,
        months.tax_class_key,
        tax_classes.tax_code,
        months.tax_authority_code,
        cast(months.tax_share as double) as tax_share,
        case
            when months.base_amount != 0
                then
                    round(
                        cast(months.tax_amount as double) / cast(months.base_amount as double), 6
                    )
        end as effective_tax_share,
        cast(months.line_count as bigint) as line_count,
        cast(months.base_amount as decimal(18, 4)) as base_amount,
        cast(months.tax_amount as decimal(18, 4)) as tax_amount,
        months.currency_code,
        cast(months.base_amount_reporting as decimal(18, 4)) as base_amount_reporting,
        cast(months.tax_amount_reporting as decimal(18, 4)) as tax_amount_reporting
    from months
    inner join {{ ref('dim_store') }} as stores
        on months.store_durable_key = stores.store_durable_key and stores.is_current
    inner join {{ ref('dim_tax_class') }} as tax_classes
        on months.tax_class_key = tax_classes.tax_class_key
)

select * from described
