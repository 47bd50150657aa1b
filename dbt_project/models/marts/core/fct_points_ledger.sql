-- Grain: one row per entry in a member's points account

with

-- Booked on the local date of the member's home shop.
owned as (
    select
        entries.record_key as points_ledger_key,
        entries.sender,
        entries.entry_id,
        entries.entry_type,
        entries.points,
        entries.receipt_id,
        entries.original_entry_id,
        entries.expires_on,
        entries.booked_at,
        {{ utc_day_number('entries.booked_at') }} as utc_day_number,
        entries.batch_id,
        coalesce(customers.customer_key, -1) as customer_key,
        coalesce(customers.customer_durable_key, -1) as customer_durable_key,
        coalesce(stores.time_zone, 'UTC') as time_zone
    from {{ ref('stg_points_entry__entries') }} as entries
    left join {{ ref('stg_identity__person_identifiers') }} as identifiers
        on
            identifiers.identifier_kind = 'member'
            and entries.sender = identifiers.sender
            and entries.member_number_token = identifiers.identifier_token
    left join {{ ref('dim_customer') }} as customers
        on
            identifiers.person_key = customers.customer_durable_key
            and entries.booked_at >= customers.valid_from_at
            and entries.booked_at < customers.valid_to_at
    left join {{ ref('dim_store') }} as stores
        on customers.home_store_durable_key = stores.store_durable_key and stores.is_current
),

points_ledger as (
    select
        owned.points_ledger_key,
        owned.sender,
        owned.entry_id,
        owned.entry_type,
        cast({{ wall_clock('owned', 'booked_at') }} as date) as business_date,
        {{ date_key('cast(' ~ wall_clock('owned', 'booked_at') ~ ' as date)') }} as date_key,
        owned.booked_at,
        owned.customer_key,
        owned.customer_durable_key,
        case
            when owned.receipt_id is null then -2
            else coalesce(till_receipts.transaction_key, web_orders.transaction_key, -1)
        end as transaction_key,
        case
            when owned.original_entry_id is null then -2
            else coalesce(originals.record_key, -1)
        end as original_points_ledger_key,
        owned.points,
        owned.expires_on,
        owned.batch_id
    from owned
    left join {{ ref('int_sales__offsets_dated') }} as offsets
        on
            owned.time_zone = offsets.time_zone
            and owned.utc_day_number = offsets.utc_day_number
    left join {{ ref('int_sales__headers_resolved') }} as till_receipts
        on
            till_receipts.template = 'pos_standard'
            and owned.sender = till_receipts.sender
            and owned.receipt_id = till_receipts.receipt_id
    left join {{ ref('int_sales__headers_resolved') }} as web_orders
        on
            web_orders.template = 'web_order'
            and owned.sender = web_orders.sender
            and owned.receipt_id = web_orders.receipt_id
    left join {{ ref('stg_points_entry__entries') }} as originals
        on
            owned.sender = originals.sender
            and owned.original_entry_id = originals.entry_id
)

select * from points_ledger
