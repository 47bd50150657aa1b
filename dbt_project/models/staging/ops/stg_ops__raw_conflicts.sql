with

conflicts as (
    select distinct
        raw_table,
        record_key
    from {{ source('ops', 'raw_conflict') }}
)

select * from conflicts
