with

versions as (
    {{ latest_version('stock_count__count') }}
),

renamed as (
    select
        store_code,
        product_code,
        counted_on,
        on_hand_quantity,
        is_sold_out,
        expected_quantity,
        reserved_quantity,
        in_transit_quantity,
        unit_cost,
        currency_code,
        counted_at,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
