"""A warehouse with marts of the published shape and sales that follow a stated rule.

Every table is written by plain SQL, so that a publication can be tried without loading a file or
running dbt, at any size. Banner Lantern sells in CNY at 0.14 USD, Journey Market in USD.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from dagster_project.core.home import Home
from dagster_project.core.keys import load_master_key
from dagster_project.core.warehouse import Warehouse

FIRST_DAY = date(2017, 1, 1)

# table → column → class; types are those of the select that makes the table.
COLUMNS = {
    "core.dim_store": "store_key store_durable_key sender store_code name banner store_type city "
    "country_code time_zone currency_code is_current",
    "core.dim_channel": "channel_key channel_code name",
    "core.dim_product": "product_key product_durable_key sender product_code name department "
    "category brand is_merchandise is_current",
    "core.fct_transaction": "transaction_key sender receipt_id transaction_type business_date "
    "sold_at store_key channel_key customer_key customer_durable_key time_of_day_key net_amount "
    "net_amount_reporting currency_code is_sale batch_id",
    "core.fct_sales_line": "sales_line_key transaction_key sender receipt_id line_number "
    "line_type business_date sold_at time_of_day_key store_key channel_key product_key "
    "product_durable_key customer_key quantity unit_price list_amount discount_amount net_amount "
    "tax_amount list_amount_reporting discount_amount_reporting net_amount_reporting "
    "tax_amount_reporting currency_code batch_id",
    "core.fct_tender": "tender_key transaction_key amount card_issuer",
    "sales.sales_daily": "business_date store_key channel_key currency_code gross_sales_amount "
    "discounts_amount returns_amount net_sales_amount tax_amount costed_net_sales_amount "
    "cost_amount gross_sales_amount_reporting discounts_amount_reporting "
    "returns_amount_reporting net_sales_amount_reporting tax_amount_reporting "
    "costed_net_sales_amount_reporting cost_amount_reporting units receipts baskets",
    "customer.customer_360": "customer_durable_key value_tier banner receipt_count "
    "net_amount_reporting first_purchase_date last_purchase_date",
}
# table → column → class
CLASSES: dict[str, dict[str, str]] = {
    table: dict.fromkeys(columns.split(), "public" if ".dim_" in table else "internal")
    for table, columns in COLUMNS.items()
}
CLASSES["core.fct_tender"] |= {"card_number_token": "card", "card_number_masked": "card"}

DIMENSIONS = """
create table core.dim_store as
select * from (values
    (-1, -1, 'none', 'none', 'Unknown', 'Unknown', 'shop', 'none', 'ZZ', 'UTC', 'USD', true),
    (1, 1, 'journey', '1', 'Main Street', 'Journey Market', 'shop', 'Albany', 'US',
        'America/New_York', 'USD', true),
    (2, 2, 'lantern', 'C1', '南京路店', 'Lantern', 'shop', '上海', 'CN',
        'Asia/Shanghai', 'CNY', true),
    (3, 3, 'lantern', 'W1', 'Lantern web <shop>', 'Lantern', 'web', '上海', 'CN',
        'Asia/Shanghai', 'CNY', true)
) as t(store_key, store_durable_key, sender, store_code, name, banner, store_type, city,
    country_code, time_zone, currency_code, is_current);
create table core.dim_channel as
select * from (values (-1, 'none', 'Unknown'), (1, 'store', 'Shop'), (2, 'web', 'Web shop'))
    as t(channel_key, channel_code, name);
create table core.dim_product as
select
    i::bigint as product_key, i::bigint as product_durable_key, 'lantern' as sender,
    'P' || i as product_code,
    '<b>Bread</b> & butter ' || i as name,
    ['Grocery', 'Fresh', 'Home'][1 + i % 3] as department, 'Category ' || i % 7 as category,
    'Brand ' || i % 5 as brand, true as is_merchandise, true as is_current
from range(1, 61) as t(i);
"""

# A receipt: number i, on day i // receipts, in store 1 + i % 3; every 50th is a return of one line.
FACTS = """
create table core.fct_sales_line as
with receipt as (
    select
        i, 1 + i % 3 as store_key,
        date '2017-01-01' + (i // $receipts)::integer as business_date,
        480 + hash(i) % 780 as minute, i % 50 = 49 as is_return
    from range($days * $receipts) as t(i)
),
line as (
    select
        receipt.*, n,
        1 + hash(i, n) % 60 as product_key,
        (2 + hash(i) % 3)::decimal(18, 4) * case when is_return then -1 else 1 end as list_amount,
        case when n = 1 and not is_return then 0.5 else 0 end::decimal(18, 4) as discount_amount,
        case when store_key = 1 then 1 else 0.14 end::decimal(18, 8) as rate
    from receipt cross join range(1, $lines + 1) as t(n)
    where n = 1 or not is_return
)
select
    (i * 100 + n)::bigint as sales_line_key, i::bigint as transaction_key,
    case when store_key = 1 then 'journey' else 'lantern' end as sender, 'R-' || i as receipt_id,
    n::integer as line_number, case when is_return then 'return' else 'sale' end as line_type,
    business_date, business_date + to_minutes(minute::bigint) as sold_at,
    minute::integer as time_of_day_key, store_key::bigint as store_key,
    case when store_key = 3 then 2 else 1 end::bigint as channel_key,
    product_key::bigint as product_key, product_key::bigint as product_durable_key,
    (i % 500)::bigint as customer_key,
    case when is_return then -1 else 1 end::decimal(18, 3) as quantity,
    abs(list_amount) as unit_price, list_amount, discount_amount,
    list_amount - discount_amount as net_amount, 0::decimal(18, 4) as tax_amount,
    (list_amount * rate)::decimal(18, 4) as list_amount_reporting,
    (discount_amount * rate)::decimal(18, 4) as discount_amount_reporting,
    ((list_amount - discount_amount) * rate)::decimal(18, 4) as net_amount_reporting,
    0::decimal(18, 4) as tax_amount_reporting,
    case when store_key = 1 then 'USD' else 'CNY' end as currency_code, 1::bigint as batch_id
from line;
create table core.fct_transaction as
select
    transaction_key, any_value(sender) as sender, any_value(receipt_id) as receipt_id,
    any_value(line_type) as transaction_type, business_date, any_value(sold_at) as sold_at,
    any_value(store_key) as store_key, any_value(channel_key) as channel_key,
    any_value(customer_key) as customer_key, any_value(customer_key) as customer_durable_key,
    any_value(time_of_day_key) as time_of_day_key, sum(net_amount)::decimal(18, 4) as net_amount,
    sum(net_amount_reporting)::decimal(18, 4) as net_amount_reporting,
    any_value(currency_code) as currency_code, true as is_sale, 1::bigint as batch_id
from core.fct_sales_line group by transaction_key, business_date;
insert into core.fct_transaction
select -7, 'journey', 'R-void', 'void', date '2017-01-01', timestamp '2017-01-01 10:00:00', 1, 1,
    -2, -2, 600, 0, 0, 'USD', false, 1;
create table core.fct_tender as
select
    transaction_key * 10 as tender_key, transaction_key, net_amount as amount,
    'Visa' as card_issuer,
    md5(cast(transaction_key as varchar)) as card_number_token,
    '411111******' || 1000 + transaction_key % 9000 as card_number_masked
from core.fct_transaction where is_sale;
create table customer.customer_360 as
select
    customer_durable_key, ['high', 'mid', 'low'][1 + customer_durable_key % 3] as value_tier,
    'Lantern' as banner, count(*) as receipt_count,
    sum(net_amount_reporting)::decimal(18, 4) as net_amount_reporting,
    min(business_date) as first_purchase_date, max(business_date) as last_purchase_date
from core.fct_transaction where is_sale group by customer_durable_key;
"""

# Made again by tests that change a line of the facts.
SALES_DAILY = """
create or replace table sales.sales_daily as
with by_line as (
    select
        business_date, store_key, channel_key, currency_code, line_type = 'return' as is_return,
        quantity, list_amount as l, discount_amount as d, net_amount as n,
        list_amount_reporting as lr, discount_amount_reporting as dr, net_amount_reporting as nr,
        0 as receipts, 0 as baskets
    from core.fct_sales_line
    union all
    select
        business_date, store_key, channel_key, currency_code, false, 0, 0, 0, 0, 0, 0, 0, 1,
        case when transaction_type = 'return' then 0 else 1 end
    from core.fct_transaction where is_sale
)
select
    business_date, store_key, channel_key, currency_code,
    sum(case when is_return then 0 else l end)::decimal(18, 4) as gross_sales_amount,
    sum(case when is_return then 0 else d end)::decimal(18, 4) as discounts_amount,
    sum(case when is_return then -n else 0 end)::decimal(18, 4) as returns_amount,
    sum(n)::decimal(18, 4) as net_sales_amount, 0::decimal(18, 4) as tax_amount,
    null::decimal(18, 4) as costed_net_sales_amount, null::decimal(18, 4) as cost_amount,
    sum(case when is_return then 0 else lr end)::decimal(18, 4) as gross_sales_amount_reporting,
    sum(case when is_return then 0 else dr end)::decimal(18, 4) as discounts_amount_reporting,
    sum(case when is_return then -nr else 0 end)::decimal(18, 4) as returns_amount_reporting,
    sum(nr)::decimal(18, 4) as net_sales_amount_reporting,
    0::decimal(18, 4) as tax_amount_reporting,
    null::decimal(18, 4) as costed_net_sales_amount_reporting,
    null::decimal(18, 4) as cost_amount_reporting,
    sum(quantity)::decimal(18, 3) as units,
    sum(receipts)::bigint as receipts, sum(baskets)::bigint as baskets
from by_line
group by all
"""


def build_sales_warehouse(
    root: Path, *, days: int = 28, receipts_per_day: int = 30, lines_per_receipt: int = 3
) -> Warehouse:
    """A warehouse whose marts hold so many days of receipts and whose models count as built."""
    home = Home(root).create()
    warehouse = Warehouse(home, load_master_key(home, {}))
    warehouse.create()
    sizes = {"days": days, "receipts": receipts_per_day, "lines": lines_per_receipt}
    with warehouse.connect() as connection:
        connection.execute(DIMENSIONS)
        for statement in FACTS.split(";\n"):
            used = {name: size for name, size in sizes.items() if f"${name}" in statement}
            connection.execute(statement, used)
        connection.execute(SALES_DAILY)
        connection.execute("insert into ops.build_state values ('models', 1, 'code-1', now())")
    return warehouse


def manifest_for(classes: dict[str, dict[str, str]] = CLASSES) -> dict[str, Any]:
    """The part of dbt's manifest that publishing reads, in dbt's own structure."""
    nodes = {}
    for full_name, columns in classes.items():
        schema, name = full_name.split(".")
        nodes[f"model.tillhouse.{name}"] = {
            "resource_type": "model",
            "name": name,
            "alias": name,
            "schema": schema,
            "description": f"One row per row of {name}; the retailer's own.",
            "config": {"materialized": "table", "enabled": True},
            "columns": {
                column: {
                    "name": column,
                    "description": f"What {column} says.",
                    "config": {"meta": {"class": given}},
                }
                for column, given in columns.items()
            },
        }
    return {"nodes": nodes}
