"""Why did this number change: the headline metrics of a version against the one it replaced.

Belongs here: their totals, and each difference split by what caused it. Does not: defining a metric
(``metrics``). The causes are told apart by what the warehouse knows for certain:

- **new data**: on days after the last that the version before had;
- **late data**: on earlier days, where rows of later loads stand, or nothing else changed;
- **identity**: customers that a merge or a split took away or brought;
- **code**: on earlier days without a later row, when the models themselves had changed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

import duckdb

from dagster_project.core.publishing.metrics import BASE, SCHEMA
from dagster_project.core.publishing.versions import Publication

# Metrics whose differences each publication keeps; all add up over days.
HEADLINES = (
    "gross_sales_amount_reporting",
    "discounts_amount_reporting",
    "returns_amount_reporting",
    "net_sales_amount_reporting",
    "tax_amount_reporting",
    "units",
    "receipts",
    "baskets",
)
CUSTOMERS = "customers"  # known customers who bought, each on the day of the first purchase
COLUMNS = """
    version integer, banner varchar, metric varchar, total double, previous_total double,
    difference double, difference_by_new_data double, difference_by_late_data double,
    difference_by_identity double, difference_by_code double
"""
# Differences by banner, metric and day of what adds up over days.
DAILY = """
create or replace temp table headline_difference as
with now as ({now}),
before as ({before})
select
    coalesce(now.banner, before.banner) as banner,
    coalesce(now.metric, before.metric) as metric,
    now.amount,
    before.amount as previous_amount,
    coalesce(now.amount, 0) - coalesce(before.amount, 0) as difference,
    case
        when coalesce(now.business_date, before.business_date) > $up_to then 'new data'
        when not $is_code_changed or late.business_date is not null then 'late data'
        else 'code'
    end as cause,
from now
full outer join before
    on before.banner = now.banner
    and before.metric = now.metric
    and before.business_date = now.business_date
left join ({late}) as late
    on late.banner = now.banner and late.business_date = now.business_date
"""
# Customers that came and went, each with why.
CUSTOMER_DIFFERENCES = """
insert into headline_difference
with now as ({now}),
before as ({before}),
resolved as ({resolved})
select
    coalesce(now.banner, before.banner),
    '{customers}',
    count(now.customer_durable_key),
    count(before.customer_durable_key),
    count(now.customer_durable_key) - count(before.customer_durable_key),
    case
        when before.customer_durable_key is null and now.first_purchase_date > $up_to
            then 'new data'
        when coalesce(now.customer_durable_key, before.customer_durable_key)
            in (select person_key from resolved) then 'identity'
        when $is_code_changed then 'code'
        else 'late data'
    end as cause,
from now
full outer join before
    on before.customer_durable_key = now.customer_durable_key and before.banner = now.banner
group by all
"""
BUYERS = (
    "select customer_durable_key, banner, first_purchase_date from {catalog}.customer.customer_360 "
    "where first_purchase_date is not null"
)
WRITE = """
insert into ops.headline by name
select
    $version as version,
    banner,
    metric,
    coalesce(sum(amount), 0) as total,
    case when $has_previous then coalesce(sum(previous_amount), 0) end as previous_total,
    case when $has_previous then sum(difference) end as difference,
    {causes}
from headline_difference
where banner is not null
group by banner, metric
order by banner, metric
"""


@dataclass(frozen=True)
class Catalogs:
    """Where things stand while a publication is built; ``previous`` is None for a first one."""

    source: str
    target: str
    previous: str | None


def record_headlines(
    connection: duckdb.DuckDBPyConnection,
    version: int,
    catalogs: Catalogs,
    current: Publication | None,
    *,
    models: str,
) -> None:
    """Write every headline metric by banner, its difference split by cause.

    ``models`` is the fingerprint of the code that built the marts now.
    """
    before = json.loads(current.fingerprint) if current and catalogs.previous else {}
    given = {
        "up_to": (current.data_up_to if current else None) or date.min,
        "is_code_changed": bool(before) and before.get("models") != models,
    }
    batch = int(before.get("data", 0))
    now = _by_day(catalogs.target)
    connection.execute(
        DAILY.format(
            now=now,
            before=_by_day(catalogs.previous) if catalogs.previous else f"{now} where false",
            late=_late_days(catalogs.source, batch),
        ),
        given,
    )
    if all(_has_buyers(connection, one) for one in (catalogs.target, catalogs.previous) if one):
        buyers = BUYERS.format(catalog=catalogs.target)
        known = BUYERS.format(catalog=catalogs.previous) if catalogs.previous else None
        connection.execute(
            CUSTOMER_DIFFERENCES.format(
                now=buyers,
                before=known or f"{buyers} and false",
                resolved=_resolved_again(connection, catalogs.source, batch),
                customers=CUSTOMERS,
            ),
            given,
        )
    causes = ",\n    ".join(
        f"case when $has_previous then coalesce(sum(difference) filter (cause = '{cause}'), 0) end "
        f"as difference_by_{cause.replace(' ', '_')}"
        for cause in ("new data", "late data", "identity", "code")
    )
    connection.execute(
        WRITE.format(causes=causes),
        {"version": version, "has_previous": catalogs.previous is not None},
    )
    connection.execute("drop table headline_difference")


def _by_day(catalog: str) -> str:
    sums = ", ".join(f"cast(sum({name}) as decimal(38, 4)) as {name}" for name in HEADLINES)
    return (
        "select banner, business_date, metric, amount from (unpivot ("
        f"select banner, business_date, {sums} from {catalog}.{SCHEMA}.{BASE} group by all"
        f") on {', '.join(HEADLINES)} into name metric value amount)"
    )


def _has_buyers(connection: duckdb.DuckDBPyConnection, catalog: str) -> bool:
    """Whether an audience sees customers, and as the version before showed them."""
    found = connection.execute(
        "select count(*) from duckdb_columns() where database_name = ? "
        "and schema_name = 'customer' and table_name = 'customer_360' "
        "and column_name in ('customer_durable_key', 'banner', 'first_purchase_date')",
        [catalog],
    ).fetchone()
    return bool(found[0] == 3)


def _late_days(source: str, batch: int) -> str:
    """Banners and days that hold a row of a load that the version before did not have."""
    return (
        f"select distinct stores.banner, receipts.business_date "
        f"from {source}.core.fct_transaction as receipts "
        f"inner join {source}.core.dim_store as stores using (store_key) "
        f"where receipts.batch_id > {batch}"
    )


def _resolved_again(connection: duckdb.DuckDBPyConnection, source: str, batch: int) -> str:
    """Persons that identity has merged, split or moved since."""
    has_history = connection.execute(
        "select count(*) from duckdb_tables() where database_name = ? and schema_name = 'identity' "
        "and table_name = 'person_key_history'",
        [source],
    ).fetchone()
    if not has_history[0]:
        return "select null::bigint as person_key where false"
    history = f"{source}.identity.person_key_history where changed_batch_id > {batch}"
    return (
        f"select person_key from {history} union select other_person_key as person_key "
        f"from {history}"
    )
