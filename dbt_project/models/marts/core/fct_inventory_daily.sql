-- Grain: one row per store, product and business day
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='business_date',
        on_schema_change='fail',
        pre_hook="{{ clear_touched_days('int_inventory__touched_stock_days') }}",
    )
}}

-- depends_on: {{ ref('int_inventory__touched_stock_days') }}

with

-- Products and stores as they were when the day ended, in UTC.
dated as (
    select
        filled.sender,
        filled.store_durable_key,
        filled.product_durable_key,
        filled.business_date,
        stores.store_key,
        products.product_key,
        filled.is_booking,
        filled.counted_quantity,
        filled.is_sold_out,
        filled.moved_quantity,
        filled.received_quantity,
        filled.sold_quantity,
        filled.sold_28_days_quantity,
        filled.known_day_count,
        filled.on_hand_quantity,
        filled.expected_quantity,
        filled.in_transit_quantity,
        filled.unit_cost,
        filled.currency_code,
        cast(
            case
                when filled.currency_code = {{ reporting_currency() }} then 1
                else rates.exchange_rate
            end as decimal(20, 12)
        ) as exchange_rate,
        filled.batch_id
    from {{ ref('int_inventory__days_filled') }} as filled
    inner join {{ ref('dim_store') }} as stores
        on
            filled.store_durable_key = stores.store_durable_key
            and {{ days_after('filled.business_date', 1) }} > stores.valid_from_at
            and {{ days_after('filled.business_date', 1) }} <= stores.valid_to_at
    inner join {{ ref('dim_product') }} as products
        on
            filled.product_durable_key = products.product_durable_key
            and {{ days_after('filled.business_date', 1) }} > products.valid_from_at
            and {{ days_after('filled.business_date', 1) }} <= products.valid_to_at
    left join {{ ref('int_rates__daily') }} as rates
        on
            filled.currency_code = rates.currency_code
            and filled.business_date = rates.business_date
    where {{ is_of_touched_day('filled.business_date', 'int_inventory__touched_stock_days') }}
),

valued as (
    select
        {{ surrogate_key([
            "'inventory_daily'", 'store_durable_key', 'product_durable_key', 'business_date'
        ]) }} as inventory_daily_key,
        sender,
        business_date,
        {{ date_key('business_date') }} as date_key,
        store_key,
        store_durable_key,
        product_key,
        product_durable_key,
        cast(on_hand_quantity as decimal(18, 3)) as on_hand_quantity,
        case
            when counted_quantity is not null then 'counted'
            when is_booking then 'moved'
            else 'carried'
        end as on_hand_basis,
        cast(expected_quantity as decimal(18, 3)) as expected_quantity,
        cast(counted_quantity - expected_quantity as decimal(18, 3)) as count_difference,
        cast(in_transit_quantity as decimal(18, 3)) as in_transit_quantity,
        cast(moved_quantity as decimal(18, 3)) as moved_quantity,
        cast(received_quantity as decimal(18, 3)) as received_quantity,
        cast(sold_quantity as decimal(18, 3)) as sold_quantity,
        cast(sold_28_days_quantity as decimal(18, 3)) as sold_28_days_quantity,
        case
            when sold_28_days_quantity > 0
                then
                    cast(greatest(on_hand_quantity, 0) as double) * known_day_count
                    / cast(sold_28_days_quantity as double)
        end as cover_days,
        -- A carried figure says nothing about the day itself.
        is_sold_out
        or coalesce(
            on_hand_quantity <= 0 and (is_booking or counted_quantity is not null), false
        ) as is_stock_out,
        unit_cost,
        cast(on_hand_quantity * unit_cost as decimal(18, 4)) as on_hand_cost_amount,
        currency_code,
        exchange_rate,
        {{ reporting_amount('on_hand_quantity * unit_cost', 'exchange_rate') }}
            as on_hand_cost_amount_reporting,
        batch_id
    from dated
    order by business_date
)

select * from valued
