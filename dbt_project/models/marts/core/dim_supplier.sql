with

-- No sender describes its suppliers: their codes on articles and deliveries are all there is.
codes as (
    select
        sender,
        supplier_code
    from {{ ref('stg_product__products') }}

    union

    select
        sender,
        supplier_code
    from {{ ref('stg_stock_movement__movements') }}
),

keyed as (
    select
        {{ surrogate_key(["'supplier'", 'sender', 'supplier_code']) }} as supplier_key,
        sender,
        supplier_code,
        supplier_code as name
    from codes
    where supplier_code is not null
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(key_columns=['supplier_key'], name_columns=['name']) }}
)

select * from members
