{#-
    The band of a list price in its own currency: 1-2-5 steps, so that the next band is about twice
    as dear in any currency. '5-10' holds 5.00 to 9.99; prices below one are '0-1'.
-#}
{% macro price_band(price) -%}
    {%- set magnitude -%}
        cast(power(10, length(cast(cast(floor({{ price }}) as bigint) as varchar)) - 1) as bigint)
    {%- endset -%}
    case
        when {{ price }} is null then null
        when {{ price }} < 1 then '0-1'
        when {{ price }} < 2 * {{ magnitude }}
            then concat({{ magnitude }}, '-', 2 * {{ magnitude }})
        when {{ price }} < 5 * {{ magnitude }}
            then concat(2 * {{ magnitude }}, '-', 5 * {{ magnitude }})
        else concat(5 * {{ magnitude }}, '-', 10 * {{ magnitude }})
    end
{%- endmacro %}
