-- depends_on: {{ ref('int_sales__headers_unioned') }}

with

linked_returns as (
    {{ linked_returns(ref('int_sales__lines_unioned')) }}
)

select * from linked_returns
