{#- Empties the weeks that are about to be written again, in the same transaction: as
    clear_touched_days does for days. -#}
{% macro clear_touched_weeks(touched_days) -%}
    {%- if tillhouse.is_replacing_touched_days() -%}
    delete from {{ this }}
    where week_start_date in (
        select {{ tillhouse.week_start('touched.business_date') }}
        from {{ this.incorporate(path={'schema': 'intermediate', 'identifier': touched_days}) }}
            as touched
    )
    {%- elif is_incremental() -%}
    delete from {{ this }}
    {%- endif -%}
{%- endmacro %}
