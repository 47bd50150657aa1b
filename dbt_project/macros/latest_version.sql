{#-
    The rows of a raw table, one per natural key.

    Only keys that arrived with more than one content (ops.raw_conflict) are ordered: the later
    `version_by` holds, then the larger content hash, so that no order of files changes the answer.
    All other rows pass straight through, which keeps ten million lines as cheap as a scan.
-#}
{% macro latest_version(template_record, version_by=none) -%}
    select single_content.*
    from {{ source('raw', template_record) }} as single_content
    where single_content._record_key not in (
        select conflict.record_key
        from {{ source('ops', 'raw_conflict') }} as conflict
        where conflict.raw_table = '{{ template_record }}'
    )
    union all
    select several_contents.*
    from {{ source('raw', template_record) }} as several_contents
    where several_contents._record_key in (
        select conflict.record_key
        from {{ source('ops', 'raw_conflict') }} as conflict
        where conflict.raw_table = '{{ template_record }}'
    )
    qualify row_number() over (
        partition by several_contents._record_key
        order by
            {%- if version_by %}
            several_contents.{{ version_by }} desc nulls last,
            {%- endif %}
            several_contents._content_hash desc
    ) = 1
{%- endmacro %}
