with

versions as (
    {{ latest_version('post__post') }}
),

renamed as (
    select
        post_id,
        platform,
        author_handle_token,
        email_token,
        posted_at,
        language_code,
        text,
        rating,
        product_code,
        store_code,
        is_dated,
        title,
        category,
        subject_name,
        aspect,
        sentiment_label,
        sentiment_score,
        parent_post_id,
        receipt_id,
        is_verified_purchase,
        like_count,
        reply_count,
        share_count,
        url,
        _extra as extra_fields,
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
