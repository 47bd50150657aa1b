with

located as (
    select
        entries.record_key as prepaid_ledger_key,
        entries.sender,
        entries.entry_id,
        entries.account_id_token,
        entries.card_number_token,
        entries.entry_type,
        entries.amount,
        entries.balance_after_amount,
        entries.currency_code,
        entries.booked_at,
        {{ utc_day_number('entries.booked_at') }} as utc_day_number,
        entries.card_programme,
        entries.funding,
        entries.member_number_token,
        entries.receipt_id,
        entries.original_entry_id,
        entries.expires_on,
        entries.batch_id,
        case when entries.store_code is null then -2 else coalesce(stores.store_key, -1) end
            as store_key,
        case
            when entries.store_code is null then -2
            else coalesce(stores.store_durable_key, -1)
        end as store_durable_key,
        coalesce(stores.time_zone, 'UTC') as time_zone,
        coalesce(stores.cut_off_hour, 0) as cut_off_hour
    from {{ ref('stg_prepaid_entry__entries') }} as entries
    left join {{ ref('dim_store') }} as stores
        on
            entries.sender = stores.sender
            and entries.store_code = stores.store_code
            and entries.booked_at >= stores.valid_from_at
            and entries.booked_at < stores.valid_to_at
),

-- The balance of an account is the sum of its entries, in the order in which they were booked.
dated as (
    select
        located.prepaid_ledger_key,
        located.sender,
        located.entry_id,
        located.account_id_token,
        located.card_number_token,
        located.entry_type,
        {{ business_date(wall_clock('located', 'booked_at'), 'located.cut_off_hour') }}
            as business_date,
        located.booked_at,
        located.store_key,
        located.store_durable_key,
        located.member_number_token,
        located.receipt_id,
        located.original_entry_id,
        located.card_programme,
        located.funding,
        located.expires_on,
        located.amount,
        sum(located.amount) over (
            partition by located.sender, located.account_id_token, located.currency_code
            order by located.booked_at, located.entry_id
            rows between unbounded preceding and current row
        ) as balance_amount,
        located.balance_after_amount as stated_balance_amount,
        located.currency_code,
        located.batch_id
    from located
    left join {{ ref('int_sales__offsets_dated') }} as offsets
        on
            located.time_zone = offsets.time_zone
            and located.utc_day_number = offsets.utc_day_number
)

select * from dated
