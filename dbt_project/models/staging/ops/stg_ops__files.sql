with

files as (
    select
        feed,
        file_id,
        template,
        status,
        physical_count,
        loaded_count,
        rejected_count,
        duplicate_count,
        arrived_at,
        batch_id
    from {{ source('ops', 'file_ledger') }}
)

select * from files
