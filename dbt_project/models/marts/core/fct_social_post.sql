-- Grain: one row per post or review
{%- set identifier_columns = {'email': 'email_token', 'handle': 'author_handle_token'} %}

with

located as (
    select
        posts.social_post_key,
        posts.sender,
        posts.author_handle_token,
        posts.email_token,
        coalesce(stores.store_key, case when posts.store_code is null then -2 else -1 end)
            as store_key,
        coalesce(stores.store_durable_key, case when posts.store_code is null then -2 else -1 end)
            as store_durable_key,
        -- A post about no shop in particular keeps its UTC date.
        {{ local_time('posts.posted_at', "coalesce(stores.time_zone, 'UTC')") }} as posted_at_local,
        coalesce(stores.cut_off_hour, 0) as cut_off_hour
    from {{ ref('int_social__posts_scored') }} as posts
    left join {{ ref('dim_store') }} as stores
        on
            posts.sender = stores.sender
            and posts.store_code = stores.store_code
            and posts.posted_at >= stores.valid_from_at
            and posts.posted_at < stores.valid_to_at
),

identified as (
    select
        located.social_post_key,
        {{ first_known_person('located', identifier_columns) }} as person_key
    from located
    {{- person_joins('located', identifier_columns) }}
),

social_posts as (
    select
        posts.social_post_key,
        posts.sender,
        posts.post_id,
        posts.platform,
        posts.language_code,
        {{ business_date('located.posted_at_local', 'located.cut_off_hour') }} as business_date,
        {{ date_key(business_date('located.posted_at_local', 'located.cut_off_hour')) }}
            as date_key,
        {{ time_of_day_key('located.posted_at_local') }} as time_of_day_key,
        posts.posted_at,
        located.store_key,
        located.store_durable_key,
        case
            when posts.product_code is null then -2
            else coalesce(products.product_key, -1)
        end as product_key,
        case
            when posts.product_code is null then -2
            else coalesce(products.product_durable_key, -1)
        end as product_durable_key,
        coalesce(customers.customer_key, -1) as customer_key,
        coalesce(customers.customer_durable_key, -1) as customer_durable_key,
        posts.rating,
        posts.sentiment,
        cast(posts.text_length as integer) as text_length,
        posts.batch_id
    from {{ ref('int_social__posts_scored') }} as posts
    inner join located on posts.social_post_key = located.social_post_key
    inner join identified on posts.social_post_key = identified.social_post_key
    left join {{ ref('dim_customer') }} as customers
        on
            identified.person_key = customers.customer_durable_key
            and posts.posted_at >= customers.valid_from_at
            and posts.posted_at < customers.valid_to_at
    left join {{ ref('dim_product') }} as products
        on
            posts.sender = products.sender
            and posts.product_code = products.product_code
            and posts.posted_at >= products.valid_from_at
            and posts.posted_at < products.valid_to_at
)

select * from social_posts
