-- Grain: one row per movement of a product into or out of a store's stock

-- Where movements stood before is asked first.
-- depends_on: {{ ref('int_inventory__first_changed') }}

with

movements as (
    select
        movements.inventory_movement_key,
        movements.sender,
        movements.movement_id,
        movements.movement_type,
        movements.business_date,
        {{ date_key('movements.business_date') }} as date_key,
        movements.moved_at,
        movements.store_key,
        movements.store_durable_key,
        movements.other_store_durable_key,
        movements.product_key,
        movements.product_durable_key,
        case
            when movements.supplier_code is null then -2
            else coalesce(suppliers.supplier_key, -1)
        end as supplier_key,
        movements.document_id,
        movements.receipt_id,
        movements.reason_code,
        cast(movements.quantity as decimal(18, 3)) as quantity,
        movements.unit_cost,
        cast(
            coalesce(movements.cost_amount, movements.quantity * movements.unit_cost)
            as decimal(18, 4)
        ) as cost_amount,
        movements.currency_code,
        cast(
            case
                when movements.currency_code = {{ reporting_currency() }} then 1
                else rates.exchange_rate
            end as decimal(20, 12)
        ) as exchange_rate,
        movements.is_booked,
        movements.batch_id
    from {{ ref('int_inventory__movements_unioned') }} as movements
    left join {{ ref('dim_supplier') }} as suppliers
        on
            movements.sender = suppliers.sender
            and movements.supplier_code = suppliers.supplier_code
    left join {{ ref('int_rates__daily') }} as rates
        on
            movements.currency_code = rates.currency_code
            and movements.business_date = rates.business_date
),

valued as (
    select
        inventory_movement_key,
        sender,
        movement_id,
        movement_type,
        business_date,
        date_key,
        moved_at,
        store_key,
        store_durable_key,
        other_store_durable_key,
        product_key,
        product_durable_key,
        supplier_key,
        document_id,
        receipt_id,
        reason_code,
        quantity,
        unit_cost,
        cost_amount,
        currency_code,
        exchange_rate,
        {{ reporting_amount('cost_amount', 'exchange_rate') }} as cost_amount_reporting,
        is_booked,
        batch_id
    from movements
)

select * from valued
