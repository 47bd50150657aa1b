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
        _sender as sender,
        _record_key as record_key,
        _batch_id as batch_id
    from versions
)

select * from renamed
