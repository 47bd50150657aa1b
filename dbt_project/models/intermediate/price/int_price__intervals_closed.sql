with

prices as (
    select
        record_key as price_key,
        sender,
        product_code,
        store_code,
        zone_code,
        valid_from_at,
        valid_to_at as stated_to_at,
        currency_code,
        list_price,
        sale_price,
        member_price,
        is_tax_included,
        unit_of_measure,
        reason_code,
        promotion_code,
        batch_id,
        lead(valid_from_at) over (
            partition by sender, product_code, store_code, zone_code order by valid_from_at
        ) as next_from_at
    from {{ ref('stg_price__prices') }}
),

-- A price holds until its own end or the next price of the same place, whichever comes first.
closed as (
    select
        price_key,
        sender,
        product_code,
        store_code,
        zone_code,
        valid_from_at,
        greatest(
            least(
                coalesce(stated_to_at, {{ end_of_time() }}),
                coalesce(next_from_at, {{ end_of_time() }})
            ),
            valid_from_at
        ) as valid_to_at,
        currency_code,
        list_price,
        sale_price,
        member_price,
        is_tax_included,
        unit_of_measure,
        reason_code,
        promotion_code,
        batch_id
    from prices
)

select * from closed
