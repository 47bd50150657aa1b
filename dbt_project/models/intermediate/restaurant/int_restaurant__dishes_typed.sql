with

dishes as (
    select
        lines.record_key as sales_line_key,
        lines.sender,
        lines.product_code,
        lines.product_name,
        lines.sold_at,
        {{ extra_field('lines.extra_fields', 'course_code', 'varchar') }} as course_code,
        {{ extra_field('lines.extra_fields', 'course_number', 'integer') }} as course_number,
        {{ extra_field('lines.extra_fields', 'station_code', 'varchar') }} as station_code,
        {{ extra_field('lines.extra_fields', 'is_complimentary', 'boolean') }} as is_complimentary,
        {{ extra_field('lines.extra_fields', 'fired_at', type_timestamp_with_zone()) }} as fired_at,
        {{ extra_field('lines.extra_fields', 'served_at', type_timestamp_with_zone()) }}
            as served_at
    from {{ ref('stg_pos_standard__lines') }} as lines
    where lines.extra_fields is not null
),

-- A dish or drink names its course or who made it.
typed as (
    select
        sales_line_key,
        sender,
        product_code,
        product_name,
        sold_at,
        course_code,
        course_number,
        station_code,
        coalesce(is_complimentary, false) as is_complimentary,
        {{ seconds_between('fired_at', 'served_at') }} as kitchen_seconds
    from dishes
    where product_code is not null and coalesce(course_code, station_code) is not null
)

select * from typed
