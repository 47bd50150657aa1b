{#-
    The metrics that add up, each defined here and nowhere else: one expression per line of
    fct_sales_line, which holds no voids, no training and no gift cards. Amounts come twice, in the
    receipt's and in the reporting currency.

    Returns count positive, on the day the goods came back. Margin is known only of lines with a
    cost: costed_net_sales less cost.
-#}
{% macro sales_measures() -%}
    {%- set is_return = "line_type = 'return'" -%}
    {%- set measures = {} -%}
    {%- for suffix in ['', '_reporting'] -%}
    {%- do measures.update({
        'gross_sales_amount' ~ suffix:
            "case when " ~ is_return ~ " then 0 else list_amount" ~ suffix ~ " end",
        'discounts_amount' ~ suffix:
            "case when " ~ is_return ~ " then 0 else discount_amount" ~ suffix ~ " end",
        'returns_amount' ~ suffix:
            "case when " ~ is_return ~ " then -net_amount" ~ suffix ~ " else 0 end",
        'net_sales_amount' ~ suffix: "net_amount" ~ suffix,
        'tax_amount' ~ suffix: "tax_amount" ~ suffix,
        'costed_net_sales_amount' ~ suffix:
            "case when cost_amount" ~ suffix ~ " is not null then net_amount" ~ suffix ~ " end",
        'cost_amount' ~ suffix: "cost_amount" ~ suffix,
    }) -%}
    {%- endfor -%}
    {{ return(measures) }}
{%- endmacro %}
