{{ config(materialized='table') }}

with

checks as (
    select
        receipts.record_key as transaction_key,
        {{ extra_field('receipts.extra_fields', 'service_mode', 'varchar') }} as service_mode,
        {{ extra_field('receipts.extra_fields', 'area_code', 'varchar') }} as area_code,
        {{ extra_field('receipts.extra_fields', 'table_code', 'varchar') }} as table_code,
        {{ extra_field('receipts.extra_fields', 'meal_period', 'varchar') }} as meal_period,
        {{ extra_field('receipts.extra_fields', 'cover_count', 'integer') }} as cover_count,
        {{ extra_field('receipts.extra_fields', 'cover_charge_amount', 'decimal(18, 4)') }}
            as cover_charge_amount,
        {{ extra_field('receipts.extra_fields', 'service_charge_amount', 'decimal(18, 4)') }}
            as service_charge_amount,
        {{ extra_field('receipts.extra_fields', 'seated_at', type_timestamp_with_zone()) }}
            as seated_at,
        {{ extra_field('receipts.extra_fields', 'ordered_at', type_timestamp_with_zone()) }}
            as ordered_at,
        {{ extra_field('receipts.extra_fields', 'served_at', type_timestamp_with_zone()) }}
            as served_at,
        {{ extra_field('receipts.extra_fields', 'billed_at', type_timestamp_with_zone()) }}
            as billed_at
    from {{ ref('stg_pos_standard__receipts') }} as receipts
    where receipts.extra_fields is not null or receipts.guest_count is not null
),

-- A check names how its guests were served, their table, their covers or how many they were.
typed as (
    select
        transactions.transaction_key,
        transactions.business_date,
        transactions.date_key,
        transactions.store_durable_key,
        coalesce(checks.service_mode, 'dine_in') as service_mode,
        checks.area_code,
        checks.table_code,
        checks.meal_period,
        coalesce(transactions.guest_count, checks.cover_count) as guest_count,
        {%- for amount in ['cover_charge_amount', 'service_charge_amount'] %}
        {{ reporting_amount('checks.' ~ amount, 'transactions.exchange_rate') }}
            as {{ amount }}_reporting,
        {%- endfor %}
        transactions.net_amount_reporting,
        transactions.gross_incl_tax_amount_reporting,
        transactions.tip_amount_reporting,
        {{ seconds_between('checks.seated_at', 'checks.billed_at') }} as stay_seconds,
        {{ seconds_between('checks.ordered_at', 'checks.served_at') }} as service_seconds
    from checks
    inner join {{ ref('fct_transaction') }} as transactions
        on checks.transaction_key = transactions.transaction_key
    where
        transactions.transaction_type = 'sale'
        and coalesce(
            checks.service_mode,
            checks.table_code,
            cast(checks.cover_count as varchar),
            cast(transactions.guest_count as varchar)
        ) is not null
)

select * from typed
