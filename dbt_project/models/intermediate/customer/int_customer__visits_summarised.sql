{%- set channels = ['store', 'web', 'app'] %}

with

visits as (
    select
        transactions.customer_durable_key,
        transactions.business_date,
        transactions.instalment_count,
        channels.channel_code,
        times.hour,
        days.weekday_name_en
    from {{ ref('fct_transaction') }} as transactions
    left join {{ ref('dim_channel') }} as channels
        on transactions.channel_key = channels.channel_key
    left join {{ ref('dim_time_of_day') }} as times
        on transactions.time_of_day_key = times.time_of_day_key
    left join {{ ref('dim_date') }} as days on transactions.date_key = days.date_key
    where
        transactions.is_sale
        and transactions.transaction_type = 'sale'
        and transactions.customer_durable_key >= 0
),

totals as (
    select
        customer_durable_key,
        {%- for channel in channels %}
        min(case when channel_code = '{{ channel }}' then business_date end)
            as first_{{ channel }}_date,
        max(case when channel_code = '{{ channel }}' then business_date end)
            as last_{{ channel }}_date,
        {%- endfor %}
        count(distinct channel_code) as channel_count,
        count(case when instalment_count > 1 then 1 end) as instalment_receipt_count,
        max(instalment_count) as most_instalments
    from visits
    group by customer_durable_key
),

favourite_hours as (
    select
        customer_durable_key,
        hour
    from visits
    group by customer_durable_key, hour
    qualify row_number() over (
        partition by customer_durable_key
        order by count(*) desc, hour asc
    ) = 1
),

favourite_weekdays as (
    select
        customer_durable_key,
        weekday_name_en
    from visits
    group by customer_durable_key, weekday_name_en
    qualify row_number() over (
        partition by customer_durable_key
        order by count(*) desc, weekday_name_en asc
    ) = 1
),

summarised as (
    select
        totals.customer_durable_key,
        {%- for channel in channels %}
        totals.first_{{ channel }}_date,
        totals.last_{{ channel }}_date,
        {%- endfor %}
        totals.channel_count,
        totals.instalment_receipt_count,
        totals.most_instalments,
        favourite_hours.hour as favourite_hour,
        favourite_weekdays.weekday_name_en as favourite_weekday
    from totals
    inner join favourite_hours
        on totals.customer_durable_key = favourite_hours.customer_durable_key
    inner join favourite_weekdays
        on totals.customer_durable_key = favourite_weekdays.customer_durable_key
)

select * from summarised
