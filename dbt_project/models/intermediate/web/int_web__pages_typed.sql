with

-- A page is what most visitors do on it; where two are as frequent, the step nearer to an order.
counted as (
    select
        sender,
        page,
        case event_type
            when 'purchase' then 'confirmation'
            when 'checkout' then 'checkout'
            when 'add_to_cart' then 'cart'
            when 'product_view' then 'product'
            when 'search' then 'search'
            else 'content'
        end as page_type,
        min(case event_type
            when 'purchase' then 1
            when 'checkout' then 2
            when 'add_to_cart' then 3
            when 'product_view' then 4
            when 'search' then 5
            else 6
        end) as preference,
        count(*) as event_count
    from {{ ref('stg_web_event__events') }}
    where page is not null
    group by 1, 2, 3
),

typed as (
    select
        sender,
        page,
        page_type
    from counted
    qualify row_number() over (
        partition by sender, page
        order by event_count desc, preference asc
    ) = 1
)

select * from typed
