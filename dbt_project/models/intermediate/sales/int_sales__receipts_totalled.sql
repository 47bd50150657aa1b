-- depends_on: {{ ref('fct_sales_line') }}, {{ ref('fct_tender') }}
-- depends_on: {{ ref('int_sales__lines_typed_otherwise') }}
-- depends_on: {{ ref('int_sales__headers_resolved') }}

with

receipts_totalled as (
    {{ receipts_totalled() }}
)

select * from receipts_totalled
