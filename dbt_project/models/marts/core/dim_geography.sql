with

keyed as (
    select
        {{ surrogate_key(["'geography'", 'country_code', 'city']) }} as geography_key,
        coalesce(city, country_code) as name,
        country_code,
        region,
        city
    from {{ ref('int_geography__places_collected') }}
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(key_columns=['geography_key'], name_columns=['name']) }}
)

select * from members
