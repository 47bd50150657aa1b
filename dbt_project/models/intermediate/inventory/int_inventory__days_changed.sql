with

counts as (
    select
        sender,
        min(batch_id) as first_batch_id,
        min(case when batch_id > {{ built_batch_id() }} then business_date end) as changed_date
    from {{ ref('int_inventory__counts_placed') }}
    group by sender
),

movements as (
    select
        sender,
        min(batch_id) as first_batch_id,
        min(case when movement_type in ('sale', 'customer_return') then batch_id end)
            as first_sale_batch_id,
        min(case when batch_id > {{ built_batch_id() }} then business_date end) as changed_date
    from {{ ref('int_inventory__movements_dated') }}
    group by sender
),

-- What a sender books decides how all of its days are reckoned.
changes as (
    select
        case
            when first_batch_id > {{ built_batch_id() }} then cast('1900-01-01' as date)
            else changed_date
        end as changed_date
    from counts

    union all

    select
        case
            when
                first_batch_id > {{ built_batch_id() }}
                or first_sale_batch_id > {{ built_batch_id() }}
                then cast('1900-01-01' as date)
            else changed_date
        end as changed_date
    from movements

    union all

    select touched.business_date as changed_date
    from {{ ref('int_inventory__touched_days') }} as touched

    union all

    select rates.business_date as changed_date
    from {{ ref('int_rates__daily') }} as rates
    where rates.changed_batch_id > {{ built_batch_id() }}
    {%- for dimension in ['dim_store', 'dim_product'] %}

    union all

    select cast(changed.valid_from_at as date) as changed_date
    from {{ ref(dimension) }} as changed
    inner join {{ ref('int_inventory__senders_described') }} as senders
        on changed.sender = senders.sender
    where changed.changed_batch_id > {{ built_batch_id() }}
    {%- endfor %}
)

select * from changes
