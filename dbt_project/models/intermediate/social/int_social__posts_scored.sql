with

counted as (
    select
        record_key as social_post_key,
        sender,
        post_id,
        platform,
        author_handle_token,
        email_token,
        posted_at,
        language_code,
        coalesce(length(text), 0) as text_length,
        rating,
        product_code,
        store_code,
        batch_id,
        {{ match_count('text', lexicon_words('complaint')) }} as complaint_count,
        {{ match_count(
            without_matches('text', lexicon_words('complaint')), lexicon_words('praise')
        ) }} as praise_count
    from {{ ref('stg_post__posts') }} as posts
),

-- Stars say it better than words: one is -1, three 0, five 1. Without stars, the share of praise
-- among the words that judge; without either, unknown.
scored as (
    select
        social_post_key,
        sender,
        post_id,
        platform,
        author_handle_token,
        email_token,
        posted_at,
        language_code,
        text_length,
        rating,
        case
            when rating is not null
                then greatest(cast(-1 as double), least(cast(1 as double), (rating - 3) / 2))
            when praise_count + complaint_count > 0
                then
                    cast(praise_count - complaint_count as double)
                    / (praise_count + complaint_count)
        end as sentiment,
        product_code,
        store_code,
        batch_id
    from counted
)

select * from scored
