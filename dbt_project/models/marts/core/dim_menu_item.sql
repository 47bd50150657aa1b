with

-- As the dish that was sold last says.
described as (
    select
        sender,
        product_code,
        product_name,
        course_code,
        station_code
    from {{ ref('int_restaurant__dishes_typed') }} as dishes
    qualify row_number() over (
        partition by sender, product_code
        order by sold_at desc, sales_line_key desc
    ) = 1
),

keyed as (
    select
        {{ surrogate_key(["'menu_item'", 'sender', 'product_code']) }} as menu_item_key,
        sender,
        product_code,
        coalesce(product_name, product_code) as name,
        {{ surrogate_key(["'product'", 'sender', 'product_code']) }} as product_durable_key,
        course_code,
        station_code
    from described
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(
        key_columns=['menu_item_key', 'product_durable_key'],
        name_columns=['name']
    ) }}
)

select * from members
