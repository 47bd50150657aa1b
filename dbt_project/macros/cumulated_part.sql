{#-
    One part of an amount that is split in proportion to weights: what is due up to and including
    this part, rounded, less what was due before it. `before` and `up_to` are cumulated weights of
    their `total`, so the parts add up to the amount; the last one takes what it has beyond
    `digits`.
-#}
{% macro cumulated_part(amount, before, up_to, total, digits) -%}
    cast(
        case
            when {{ up_to }} = {{ total }} then cast({{ amount }} as decimal(18, 8))
            else cast(
                round(cast({{ amount }} as double) * {{ up_to }} / {{ total }}, {{ digits }})
                as decimal(18, 8)
            )
        end
        - cast(
            round(cast({{ amount }} as double) * {{ before }} / {{ total }}, {{ digits }})
            as decimal(18, 8)
        ) as decimal(18, {{ 8 if digits > 4 else 4 }})
    )
{%- endmacro %}
