with

builds as (
    select
        build,
        built_batch_id,
        fingerprint,
        built_at
    from {{ source('ops', 'build_state') }}
)

select * from builds
