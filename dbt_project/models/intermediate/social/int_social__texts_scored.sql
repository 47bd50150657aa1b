{%- set texts = {
    'stg_survey_response__answers': 'comment',
    'stg_service_case__cases': 'text',
} %}

with

texts as (
    {%- for record, text in texts.items() %}
    select
        '{{ record }}' as record,
        record_key,
        {{ match_count(text, lexicon_words('complaint')) }} as complaint_count,
        {{ match_count(
            without_matches(text, lexicon_words('complaint')), lexicon_words('praise')
        ) }} as praise_count
    from {{ ref(record) }} as {{ record }}
    where {{ text }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- The share of praise among the words that judge, less that of complaint; without any, unknown.
scored as (
    select
        record,
        record_key,
        cast(praise_count - complaint_count as double) / (praise_count + complaint_count)
            as sentiment
    from texts
    where praise_count + complaint_count > 0
)

select * from scored
