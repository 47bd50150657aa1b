with

posts as (
    select
        customer_durable_key,
        sentiment,
        posted_at
    from {{ ref('fct_social_post') }}
    where customer_durable_key >= 0
),

summarised as (
    select
        customer_durable_key,
        count(*) as post_count,
        avg(sentiment) as mean_sentiment,
        max(posted_at) as last_posted_at
    from posts
    group by customer_durable_key
)

select * from summarised
