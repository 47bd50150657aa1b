{#-
    Empties the business days that are about to be written again, in the same transaction.

    delete+insert alone clears only days that still have rows: a day whose last receipt moved to
    another day would keep it for good.
-#}
{% macro clear_touched_days(touched_days) -%}
    {%- if tillhouse.is_replacing_touched_days() -%}
    delete from {{ this }}
    where business_date in (
        select touched.business_date
        from {{ this.incorporate(path={'schema': 'intermediate', 'identifier': touched_days}) }}
            as touched
    )
    {%- elif is_incremental() -%}
    delete from {{ this }}
    {%- endif -%}
{%- endmacro %}
