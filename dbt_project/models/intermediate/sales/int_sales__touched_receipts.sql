{{ config(materialized='table') }}

{#- Identifier kinds a header carries; a member or visitor means something at its sender only. -#}
{%- set identifiers = [
    ('member', 'member_number_token', true),
    ('visitor', 'visitor_id_token', true),
    ('email', 'email_token', false),
    ('phone', 'phone_token', false),
] %}

with

-- A shop's time zone and cut-off hour decide the business date.
changed_stores as (
    select
        sender,
        store_code,
        valid_from_at,
        valid_to_at
    from {{ ref('dim_store') }}
    where changed_batch_id > {{ built_batch_id() }}
),

changed_identifiers as (
    select
        sender,
        identifier_kind,
        identifier_token
    from {{ ref('stg_identity__person_identifiers') }}
    where changed_batch_id > {{ built_batch_id() }}
),

touched as (
    select
        template,
        sender,
        receipt_id
    from {{ ref('int_sales__headers_unioned') }} as headers
    where batch_id > {{ built_batch_id() }}

    union

    select
        template,
        sender,
        receipt_id
    from {{ ref('int_sales__lines_unioned') }} as lines
    where batch_id > {{ built_batch_id() }}

    union

    select
        template,
        sender,
        receipt_id
    from {{ ref('int_tender__tenders_unioned') }} as tenders
    where batch_id > {{ built_batch_id() }}
    {%- for details in ['discounts', 'taxes', 'steps'] %}

    union

    select
        'pos_standard' as template,
        sender,
        receipt_id
    from {{ ref('stg_pos_standard__' ~ details) }} as {{ details }}
    where batch_id > {{ built_batch_id() }}
    {%- endfor %}

    union

    select
        headers.template,
        headers.sender,
        headers.receipt_id
    from {{ ref('int_sales__headers_unioned') }} as headers
    inner join changed_stores
        on
            headers.sender = changed_stores.sender
            and headers.store_code = changed_stores.store_code
            and headers.sold_at >= changed_stores.valid_from_at
            and headers.sold_at < changed_stores.valid_to_at
    {%- for kind, column, is_of_sender in identifiers %}

    union

    select
        headers.template,
        headers.sender,
        headers.receipt_id
    from {{ ref('int_sales__headers_unioned') }} as headers
    inner join changed_identifiers
        on
            changed_identifiers.identifier_kind = '{{ kind }}'
            and headers.{{ column }} = changed_identifiers.identifier_token
            {%- if is_of_sender %}
            and headers.sender = changed_identifiers.sender
            {%- endif %}
    {%- endfor %}

    union

    select
        tenders.template,
        tenders.sender,
        tenders.receipt_id
    from {{ ref('int_tender__tenders_unioned') }} as tenders
    inner join changed_identifiers
        on
            changed_identifiers.identifier_kind = 'card'
            and tenders.card_number_token = changed_identifiers.identifier_token
),

-- A return points at a line of its original receipt, which may come, change or go after it.
with_returns as (
    select
        template,
        sender,
        receipt_id
    from touched

    union

    select
        lines.template,
        lines.sender,
        lines.receipt_id
    from {{ ref('int_sales__lines_unioned') }} as lines
    inner join touched
        on lines.sender = touched.sender and lines.original_receipt_id = touched.receipt_id
),

touched_receipts as (
    select
        with_returns.template,
        with_returns.sender,
        with_returns.receipt_id,
        headers.transaction_key
    from with_returns
    left join {{ ref('int_sales__headers_unioned') }} as headers
        on {{ receipt_reference('with_returns') }} = {{ receipt_reference('headers') }}
    where {{ 'false' if replaces_all_days() else 'true' }}
)

select * from touched_receipts
