{#-
    A key of 63 bits from a natural key alone: the same in every load, order and rebuild.

    `parts` are SQL expressions; the first names the thing, as a quoted literal. The separator and
    the mark for null are the ones the loader uses for its record keys.
-#}
{% macro surrogate_key(parts) -%}
    {{ return(adapter.dispatch('surrogate_key', 'tillhouse')(parts)) }}
{%- endmacro %}

{% macro default__surrogate_key(parts) -%}
    cast(
        md5_number_lower(
            concat_ws(
                chr(31),
                {%- for part in parts %}
                coalesce(cast({{ part }} as varchar), chr(30)){{ ',' if not loop.last }}
                {%- endfor %}
            )
        ) >> 1 as bigint
    )
{%- endmacro %}

{#- md5's last 8 bytes, read as the loader reads them: least significant byte first. -#}
{% macro spark__surrogate_key(parts) -%}
    {%- set text -%}
        md5(
            concat_ws(
                char(31),
                {%- for part in parts %}
                coalesce(cast({{ part }} as string), char(30)){{ ',' if not loop.last }}
                {%- endfor %}
            )
        )
    {%- endset -%}
    shiftrightunsigned(
        cast(
            conv(
                concat(
                    {%- for position in range(31, 16, -2) %}
                    substring({{ text }}, {{ position }}, 2){{ ',' if not loop.last }}
                    {%- endfor %}
                ),
                16,
                -10
            ) as bigint
        ),
        1
    )
{%- endmacro %}
