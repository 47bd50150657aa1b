{#- One row per date from one to another, both included; none where the other is earlier. -#}
{% macro each_day(from_date, to_date) -%}
    {{ return(adapter.dispatch('each_day', 'tillhouse')(from_date, to_date)) }}
{%- endmacro %}

{% macro default__each_day(from_date, to_date) -%}
    cast(unnest(generate_series({{ from_date }}, {{ to_date }}, interval '1 day')) as date)
{%- endmacro %}

{% macro spark__each_day(from_date, to_date) -%}
    explode(
        case
            when {{ from_date }} <= {{ to_date }} then sequence({{ from_date }}, {{ to_date }})
            else array()
        end
    )
{%- endmacro %}
