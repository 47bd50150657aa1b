"""One release of an extract: who is in it, which files it is made of, exposed by one rename.

Belongs here: choosing consented customers, writing files, keeping them apart from other releases.
Does not: generalising (``anonymity``), signing (``manifest``).
"""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import duckdb

from dagster_project.core.audit_log import record
from dagster_project.core.home import PRIVATE_MODE
from dagster_project.core.sharing import manifest
from dagster_project.core.sharing.anonymity import (
    EXACT,
    PERSONS,
    RELEASED,
    AnonymityReport,
    generalise,
)
from dagster_project.core.sharing.partners import Partner, partner_for
from dagster_project.core.warehouse import Warehouse

# Who may be told of: consent to sharing that has not run out today, from a country agreed on, and
# certainly no minor. A decade of birth is all that is known, so its youngest count.
ADULT = 18
CONSENTED = """
    has_sharing_consent
    and customer_durable_key in (
        select person_key from intermediate.int_customer__consents_standing
        where purpose = 'sharing' and is_granted
    )
"""
CANDIDATES = f"""
create temp table {PERSONS} as
select
    left(sha256($outer::blob || unhex(sha256($inner::blob || encode(
        customer_durable_key::varchar
    )))), 32) as token,
    country_code, city, birth_decade, gender, loyalty_tier,
    year(member_since_date) as member_since_year, value_tier, favourite_department,
from customer.customer_360
where
    {CONSENTED}
    and list_contains($countries, country_code)
    and birth_decade + 9 + {ADULT} <= year(as_of_date)
"""
# Weeks by country and department; only of the customers above, whatever was released of them.
SALES = f"""
create temp table sharing_sales as
with persons as (
    select customer_durable_key, country_code from customer.customer_360
    where
        {CONSENTED}
        and list_contains($countries, country_code)
        and birth_decade + 9 + {ADULT} <= year(as_of_date)
)
select
    cast(date_trunc('week', lines.business_date) as date) as week_start_date,
    customers.country_code,
    products.department,
    count(distinct customers.customer_durable_key)::integer as customer_count,
    count(distinct lines.transaction_key)::integer as receipt_count,
    sum(lines.net_amount_reporting) as net_amount_reporting,
    customer_count < $smallest_group as is_suppressed,
from core.fct_sales_line as lines
inner join core.dim_product as products using (product_key)
inner join persons as customers
    on lines.customer_durable_key = customers.customer_durable_key
where lines.line_type = 'sale'
group by all
"""
FILES = {
    "customers.parquet": f"select * from {RELEASED} order by {', '.join(EXACT)}, token",
    "sales_by_week.parquet": "select * exclude (is_suppressed) from sharing_sales "
    "where not is_suppressed order by all",
}


@dataclass(frozen=True)
class Release:
    """What was given to a partner."""

    partner: str
    release: str
    path: Path
    anonymity: AnonymityReport
    sales_cell_count: int
    suppressed_sales_cell_count: int


def share(warehouse: Warehouse, name: str, today: date) -> Release:
    """Write and sign a new extract for a partner; the caller holds the writer's lock.

    Raises SharingError where the partner is unknown or its term is over. Tokens are of this
    release alone: neither two partners nor two releases of one can be joined by them, which would
    narrow a group down to those that are in both.
    """
    home = warehouse.home
    partner = partner_for(home, name, today)
    folder = home.shared / partner.name
    home.shared.mkdir(mode=PRIVATE_MODE, exist_ok=True)
    folder.mkdir(mode=PRIVATE_MODE, exist_ok=True)
    release = _next_release(folder, today)
    building = folder / f".{release}"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(mode=PRIVATE_MODE)
    with warehouse.connect(read_only=True) as connection:
        made = _make(connection, warehouse, partner, release, building)
    manifest.write(building, partner, made, warehouse.key, today)
    os.replace(building, made.path)
    record(home, warehouse.key, "share", partner.name, release=release, **_counts(made.anonymity))
    return made


def _next_release(folder: Path, today: date) -> str:
    number = 1
    while (folder / f"{today}-{number}").exists():
        number += 1
    return f"{today}-{number}"


def _make(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Warehouse,
    partner: Partner,
    release: str,
    building: Path,
) -> Release:
    countries = list(partner.customers_of)
    inner, outer = warehouse.key.token_pads(f"share/{partner.name}/{release}")
    connection.execute(CANDIDATES, {"inner": inner, "outer": outer, "countries": countries})
    report = generalise(connection, partner.smallest_group, partner.fewest_values, partner.tells)
    sizes = {"countries": countries, "smallest_group": partner.smallest_group}
    connection.execute(SALES, sizes)
    for file, sql in FILES.items():
        literal = str(building / file).replace("'", "''")
        connection.execute(f"copy ({sql}) to '{literal}' (format parquet)")
    cells, suppressed = connection.execute(
        "select count(*) filter (not is_suppressed), count(*) filter (is_suppressed) "
        "from sharing_sales"
    ).fetchone()
    path = building.with_name(release)
    return Release(partner.name, release, path, report, cells, suppressed)


def _counts(report: AnonymityReport) -> dict[str, int | None]:
    return {name: value for name, value in asdict(report).items() if isinstance(value, int | None)}
