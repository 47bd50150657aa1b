with

rejects as (
    select
        feed,
        file_id,
        record_number,
        disposition,
        replayed_batch_id
    from {{ source('ops', 'rejects') }}
)

select * from rejects
