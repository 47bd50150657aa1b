{#- The key of dim_date for a date: yyyymmdd as an integer, -1 where the date is not known, -3 where
    the calendar does not reach: a till whose clock was set back sells in the year 1970. -#}
{% macro date_key(date) -%}
    case
        when {{ date }} is null then -1
        when {{ date }} < date '1990-01-01' or {{ date }} > date '2045-12-31' then -3
        else
            cast(
                extract('year' from {{ date }}) * 10000
                + extract('month' from {{ date }}) * 100
                + extract('day' from {{ date }}) as integer
            )
    end
{%- endmacro %}
