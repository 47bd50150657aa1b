{#-
    Every sale is paid to the cent: net, tax, tip, rounding and stored value of it equal its
    tenders, and where a sender records tenders at all, no sale of value is without. A receipt of
    which the till counted more lines than have come is known to be short and reported by
    every_line_the_till_counted_has_come; it cannot balance until the rest arrives.
-#}
{{ config(severity='error') }}

with

recording as (
    select
        sender,
        channel_key
    from {{ ref('fct_tender') }}
    group by sender, channel_key
),

unbalanced as (
    select
        transactions.sender,
        transactions.receipt_id,
        transactions.business_date,
        transactions.gross_incl_tax_amount,
        transactions.rounding_amount,
        transactions.tender_amount
    from {{ ref('fct_transaction') }} as transactions
    left join recording
        on
            transactions.sender = recording.sender
            and transactions.channel_key = recording.channel_key
    where
        transactions.is_sale
        and transactions.is_complete is distinct from false
        and (
            not transactions.is_balanced
            or (
                recording.sender is not null
                and not transactions.is_tender_recorded
                and abs(
                    transactions.gross_incl_tax_amount + transactions.stored_value_amount
                    + transactions.rounding_amount
                ) >= 0.005
            )
        )
)

select * from unbalanced
