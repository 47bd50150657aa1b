{#-
    Feed in = out, file by file, to the record and without a tolerance: what a file held is what
    was loaded, rejected or known before; only a file that is loaded, or was and has been withdrawn,
    has loaded anything; and every
    rejected record has its reject. Rejects are kept when a replay settles them, so there are at
    least as many as records still rejected, and never more unsettled ones. Of a file that is
    refused record by record no more than 10,000 rejects are kept, and a file that came to two
    feeds has its rejects noted once: of those the rejects are not counted.
-#}
{{ config(severity='error') }}

{%- set most_rejects_of_a_file = 10000 %}

with

refused as (
    select
        file_id,
        count(distinct record_number) as refused_count,
        count(distinct case when replayed_batch_id is null then record_number end) as open_count
    from {{ ref('stg_ops__rejects') }}
    where disposition = 'record'
    group by file_id
),

in_one_feed as (
    select file_id
    from {{ ref('stg_ops__files') }}
    group by file_id
    having count(distinct feed) = 1
),

wrong as (
    select
        files.feed,
        files.file_id
    from {{ ref('stg_ops__files') }} as files
    left join in_one_feed on files.file_id = in_one_feed.file_id
    left join refused on files.file_id = refused.file_id
    where
        files.physical_count
        != files.loaded_count + files.rejected_count + files.duplicate_count
        or (files.status not in ('loaded', 'superseded') and files.loaded_count != 0)
        or (
            files.status = 'loaded'
            and in_one_feed.file_id is not null
            and files.rejected_count <= {{ most_rejects_of_a_file }}
            and (
                coalesce(refused.refused_count, 0) < files.rejected_count
                or coalesce(refused.open_count, 0) > files.rejected_count
            )
        )
)

select * from wrong
