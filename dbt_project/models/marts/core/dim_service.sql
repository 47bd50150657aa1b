with

-- As the line that was billed last says.
described as (
    select
        sender,
        service_code,
        product_name
    from {{ ref('int_clinic__services_typed') }} as services
    qualify row_number() over (
        partition by sender, service_code
        order by sold_at desc, sales_line_key desc
    ) = 1
),

keyed as (
    select
        {{ surrogate_key(["'service'", 'sender', 'service_code']) }} as service_key,
        sender,
        service_code,
        coalesce(product_name, service_code) as name
    from described
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(key_columns=['service_key'], name_columns=['name']) }}
)

select * from members
