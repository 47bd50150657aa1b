-- Grain: one row per entry of a prepaid or gift card

with

entries as (
    select
        dated.prepaid_ledger_key,
        dated.sender,
        dated.entry_id,
        {{ surrogate_key(["'prepaid_account'", 'dated.sender', 'dated.account_id_token']) }}
            as prepaid_account_key,
        dated.entry_type,
        dated.business_date,
        {{ date_key('dated.business_date') }} as date_key,
        dated.booked_at,
        dated.store_key,
        dated.store_durable_key,
        case
            when dated.member_number_token is null then -2
            else coalesce(customers.customer_key, -1)
        end as customer_key,
        case
            when dated.member_number_token is null then -2
            else coalesce(customers.customer_durable_key, -1)
        end as customer_durable_key,
        case
            when dated.receipt_id is null then -2
            else coalesce(till_receipts.transaction_key, web_orders.transaction_key, -1)
        end as transaction_key,
        case
            when dated.original_entry_id is null then -2
            else coalesce(originals.record_key, -1)
        end as original_prepaid_ledger_key,
        dated.card_programme,
        dated.funding,
        dated.expires_on,
        dated.amount,
        cast(dated.balance_amount as decimal(18, 4)) as balance_amount,
        dated.stated_balance_amount,
        dated.currency_code,
        cast(
            case
                when dated.currency_code = {{ reporting_currency() }} then 1
                else rates.exchange_rate
            end as decimal(20, 12)
        ) as exchange_rate,
        dated.batch_id
    from {{ ref('int_prepaid__entries_dated') }} as dated
    left join {{ ref('stg_identity__person_identifiers') }} as identifiers
        on
            identifiers.identifier_kind = 'member'
            and dated.sender = identifiers.sender
            and dated.member_number_token = identifiers.identifier_token
    left join {{ ref('dim_customer') }} as customers
        on
            identifiers.person_key = customers.customer_durable_key
            and dated.booked_at >= customers.valid_from_at
            and dated.booked_at < customers.valid_to_at
    left join {{ ref('int_sales__headers_resolved') }} as till_receipts
        on
            till_receipts.template = 'pos_standard'
            and dated.sender = till_receipts.sender
            and dated.receipt_id = till_receipts.receipt_id
    left join {{ ref('int_sales__headers_resolved') }} as web_orders
        on
            web_orders.template = 'web_order'
            and dated.sender = web_orders.sender
            and dated.receipt_id = web_orders.receipt_id
    left join {{ ref('stg_prepaid_entry__entries') }} as originals
        on
            dated.sender = originals.sender
            and dated.original_entry_id = originals.entry_id
    left join {{ ref('int_rates__daily') }} as rates
        on
            dated.currency_code = rates.currency_code
            and dated.business_date = rates.business_date
),

valued as (
    select
        prepaid_ledger_key,
        sender,
        entry_id,
        prepaid_account_key,
        entry_type,
        business_date,
        date_key,
        booked_at,
        store_key,
        store_durable_key,
        customer_key,
        customer_durable_key,
        transaction_key,
        original_prepaid_ledger_key,
        card_programme,
        funding,
        expires_on,
        amount,
        balance_amount,
        stated_balance_amount,
        currency_code,
        exchange_rate,
        {{ reporting_amount('amount', 'exchange_rate') }} as amount_reporting,
        batch_id
    from entries
)

select * from valued
