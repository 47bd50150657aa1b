with

ledger as (
    select
        points_ledger_key,
        original_points_ledger_key,
        sender,
        customer_durable_key,
        entry_type,
        transaction_key,
        points
    from {{ ref('fct_points_ledger') }}
    where customer_durable_key >= 0
),

reversals as (
    select
        points_ledger_key,
        original_points_ledger_key,
        sender,
        customer_durable_key,
        transaction_key
    from ledger
    where points < 0 and (entry_type = 'reverse' or original_points_ledger_key >= 0)
),

-- Without the entry it undoes, a return takes back what the receipt of its goods had earned.
returned as (
    select distinct
        reversals.points_ledger_key,
        reversals.sender,
        reversals.customer_durable_key,
        originals.transaction_key
    from reversals
    inner join {{ ref('fct_sales_line') }} as lines
        on reversals.transaction_key = lines.transaction_key and lines.line_type = 'return'
    inner join {{ ref('fct_sales_line') }} as originals
        on lines.original_line_key = originals.sales_line_key
    where reversals.original_points_ledger_key < 0
),

earned as (
    select
        returned.points_ledger_key,
        ledger.points_ledger_key as lot_points_ledger_key
    from returned
    inner join ledger
        on
            returned.transaction_key = ledger.transaction_key
            and returned.sender = ledger.sender
            and returned.customer_durable_key = ledger.customer_durable_key
    where ledger.entry_type = 'earn' and ledger.points > 0
    qualify row_number() over (
        partition by returned.points_ledger_key
        order by ledger.points desc, ledger.points_ledger_key asc
    ) = 1
),

linked as (
    select
        points_ledger_key,
        original_points_ledger_key as lot_points_ledger_key
    from reversals
    where original_points_ledger_key >= 0

    union all

    select
        points_ledger_key,
        lot_points_ledger_key
    from earned
)

select * from linked
