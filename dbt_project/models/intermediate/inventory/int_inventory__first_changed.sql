{{ config(materialized='table') }}

{%- set stored_daily = stored_table('core', 'fct_inventory_daily') %}
{%- set stored_movement = stored_table('core', 'fct_inventory_movement') %}
{%- set is_all_new = replaces_all_days() or not stored_daily or not stored_movement %}

-- depends_on: {{ ref('int_inventory__movements_dated') }}
-- depends_on: {{ ref('int_inventory__newest_dated') }}, {{ ref('stg_ops__builds') }}

with

changes as (
    select changed_date
    from {{ ref('int_inventory__days_changed') }}
    {%- if not is_all_new %}

    union all

    -- Where a movement stood before it was sent again with another time.
    select stored.business_date as changed_date
    from {{ stored_movement }} as stored
    inner join {{ ref('int_inventory__movements_dated') }} as dated
        on stored.inventory_movement_key = dated.inventory_movement_key
    where dated.batch_id > {{ built_batch_id() }}

    union all

    -- Days that have become known: the first behind a sender's newest one.
    select {{ days_after('stored.newest_date', 1) }} as changed_date
    from (
        select
            daily.sender,
            max(daily.business_date) as newest_date
        from {{ stored_daily }} as daily
        group by daily.sender
    ) as stored
    inner join {{ ref('int_inventory__newest_dated') }} as newest
        on stored.sender = newest.sender and stored.newest_date < newest.newest_date
    {%- endif %}
),

-- Stock only ever depends on days before: from the first changed day on all of it is new.
first_changed as (
    select
        least(
            coalesce(min(changed_date), cast('9999-12-31' as date)),
            cast('{{ '1900-01-01' if is_all_new else '9999-12-31' }}' as date)
        ) as first_changed_date
    from changes
)

select * from first_changed
