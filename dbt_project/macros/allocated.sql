{#-
    What was given or taxed on a whole receipt, allocated to its lines to the cent.

    `wholes` has one row per thing allocated: transaction_key, scope (which lines of the receipt
    share it), whole_number and amount. `openings` has one row per line of a scope: transaction_key,
    scope, sales_line_key, line_number, open_amount (what the line states beyond its own details)
    and fallback_amount. Returns one row per line and thing: sales_line_key, transaction_key,
    whole_number, amount, is_first (the first line of each).

    Weights are the open amounts that have the sign of the total; where there is none, the fallback
    amounts that have it; else every line weighs the same. Residual rule: shares are cut to cents,
    and the cents that are left go to the largest remainders, at equal ones to the lower line
    number. Several things of one scope are allocated as running totals and taken apart again, so
    that together they are just what the lines state wherever the till's figures agree.
    So a later one may take a cent back from a line (1 in 100,000 shares of random receipts).
    Remainders are compared to a millionth of a cent, far above the error of a double.
-#}
{% macro allocated(wholes, openings) -%}
    with

    running as (
        select
            transaction_key,
            scope,
            whole_number,
            sum(amount) over (
                partition by transaction_key, scope
                order by whole_number
                rows between unbounded preceding and current row
            ) as running_amount,
            sign(sum(amount) over (partition by transaction_key, scope)) as total_sign
        from {{ wholes }}
    ),

    paired as (
        select
            running.transaction_key,
            running.scope,
            running.whole_number,
            running.running_amount,
            openings.sales_line_key,
            openings.line_number,
            greatest(openings.open_amount * running.total_sign, 0) as open_weight,
            greatest(openings.fallback_amount * running.total_sign, 0) as fallback_weight
        from running
        inner join {{ openings }} as openings
            on
                running.transaction_key = openings.transaction_key
                and running.scope = openings.scope
    ),

    weighed as (
        select
            transaction_key,
            scope,
            whole_number,
            sales_line_key,
            line_number,
            running_amount,
            open_weight,
            sum(open_weight) over whole as open_total,
            cast(open_weight as double) / nullif(sum(open_weight) over whole, 0) as open_share,
            cast(fallback_weight as double) / nullif(sum(fallback_weight) over whole, 0)
                as fallback_share,
            1.0 / count(*) over whole as equal_share
        from paired
        window whole as (partition by transaction_key, scope, whole_number)
    ),

    in_cents as (
        select
            transaction_key,
            scope,
            whole_number,
            sales_line_key,
            line_number,
            running_amount,
            open_weight,
            open_total,
            100 * cast(abs(running_amount) as double)
            * coalesce(open_share, fallback_share, equal_share) as cents
        from weighed
    ),

    cut as (
        select
            transaction_key,
            scope,
            whole_number,
            sales_line_key,
            line_number,
            running_amount,
            open_weight,
            open_total,
            cast(floor(cents + 0.000001) as decimal(18, 0)) as whole_cents,
            round(cents - floor(cents + 0.000001), 6) as remainder
        from in_cents
    ),

    ranked as (
        select
            transaction_key,
            scope,
            whole_number,
            sales_line_key,
            running_amount,
            open_weight,
            open_total,
            whole_cents,
            100 * abs(running_amount) - sum(whole_cents) over whole as left_cents,
            row_number() over (
                partition by transaction_key, scope, whole_number
                order by remainder desc, line_number asc
            ) as remainder_rank,
            row_number() over (
                partition by transaction_key, scope, whole_number
                order by line_number
            ) as line_rank
        from cut
        window whole as (partition by transaction_key, scope, whole_number)
    ),

    shared as (
        select
            transaction_key,
            scope,
            whole_number,
            sales_line_key,
            line_rank,
            sign(running_amount) * case
                when abs(running_amount) = open_total then open_weight
                else
                    (whole_cents + greatest(least(left_cents - remainder_rank + 1, 1), 0)) / 100
            end as running_share
        from ranked
    )

    select
        sales_line_key,
        transaction_key,
        whole_number,
        cast(
            running_share - lag(running_share, 1, 0) over (
                partition by sales_line_key, scope
                order by whole_number
            ) as decimal(18, 4)
        ) as amount,
        line_rank = 1 as is_first
    from shared
{%- endmacro %}
