{#- The key of dim_date for a date: yyyymmdd as an integer, -1 where the date is not known. -#}
{% macro date_key(date) -%}
    coalesce(
        cast(
            extract('year' from {{ date }}) * 10000
            + extract('month' from {{ date }}) * 100
            + extract('day' from {{ date }}) as integer
        ),
        -1
    )
{%- endmacro %}
