{#- Net sales and tax add up to the same figure line by line, receipt by receipt and channel by
    channel, in both currencies, on every day. -#}
{{ config(severity='error') }}

-- depends_on: {{ ref('int_sales__touched_days') }}

with

by_line as (
    select
        business_date,
        sum(net_amount) as net_amount,
        sum(tax_amount) as tax_amount,
        sum(net_amount_reporting) as net_amount_reporting
    from {{ ref('fct_sales_line') }}
    where {{ is_judged_day('business_date') }}
    group by business_date
),

by_channel as (
    select
        transactions.business_date,
        channels.channel_code,
        sum(transactions.net_amount) as net_amount,
        sum(transactions.tax_amount) as tax_amount,
        sum(transactions.net_amount_reporting) as net_amount_reporting
    from {{ ref('fct_transaction') }} as transactions
    inner join {{ ref('dim_channel') }} as channels
        on transactions.channel_key = channels.channel_key
    where
        transactions.is_sale
        and channels.channel_key >= 0
        and {{ is_judged_day('transactions.business_date') }}
    group by transactions.business_date, channels.channel_code
),

all_channels as (
    select
        business_date,
        sum(net_amount) as net_amount,
        sum(tax_amount) as tax_amount,
        sum(net_amount_reporting) as net_amount_reporting
    from by_channel
    group by business_date
),

differing as (
    select
        coalesce(by_line.business_date, all_channels.business_date) as business_date,
        by_line.net_amount as line_net_amount,
        all_channels.net_amount as channel_net_amount
    from by_line
    full outer join all_channels on by_line.business_date = all_channels.business_date
    where
        coalesce(by_line.net_amount, 0) != coalesce(all_channels.net_amount, 0)
        or coalesce(by_line.tax_amount, 0) != coalesce(all_channels.tax_amount, 0)
        or coalesce(by_line.net_amount_reporting, 0)
        != coalesce(all_channels.net_amount_reporting, 0)
)

select * from differing
