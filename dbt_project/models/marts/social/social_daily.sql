-- Grain: one row per store, product and business day with posts

with

summed as (
    select
        business_date,
        date_key,
        store_durable_key,
        product_durable_key,
        count(*) as post_count,
        count(distinct customer_durable_key)
        filter (where customer_durable_key >= 0) as known_author_count,
        count(case when sentiment > 0 then 1 end) as praise_count,
        count(case when sentiment < 0 then 1 end) as complaint_count,
        count(sentiment) as judging_post_count,
        avg(sentiment) as mean_sentiment,
        avg(rating) as mean_rating
    from {{ ref('fct_social_post') }}
    group by business_date, date_key, store_durable_key, product_durable_key
)

select * from summed
