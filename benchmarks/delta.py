"""What 50,000 new till lines cost dbt, against the full build, and that against the SQL by hand.

    python -m benchmarks.delta --lines 20000000

Rows are written straight into the raw tables, as the loader would leave them: the question is what
the models make of them. The peer of the full build runs the very statements that dbt compiled for
tables and tests, one after the other on one connection, without dbt. CPU seconds are those of the
processes themselves.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from dagster_project.core.calendars import ensure_calendar
from dagster_project.core.declarations import load_templates
from dagster_project.core.feeds import create_raw_tables
from dagster_project.core.home import TEMPLATES, Home
from dagster_project.core.identity import create_identity_tables
from dagster_project.core.keys import load_master_key
from dagster_project.core.modelling import build_models
from dagster_project.core.warehouse import Warehouse, WriterLock

LINES_PER_RECEIPT = 4
FIRST_DAY = "2023-01-01"
DAYS = 730
NEW_LINES = 50_000
STORES, PRODUCTS = 40, 8_000
DELTA_TARGET, BY_HAND_TARGET = 0.05, 1.3
SLOWEST = 25  # nodes of the delta that are named

MASTERS = f"""
insert into raw.store__store by name
select 'S' || i as store_code, timestamptz '2020-01-01 00:00:00+00' as effective_at,
    'Store ' || i as name, 'Bench' as banner, 'shop' as store_type, 'GB' as country_code,
    'Europe/London' as time_zone, 'USD' as currency_code, 4 as cut_off_hour,
    i as _record_key, i as _content_hash, 'bench' as _sender, 'bench' as _feed, 1 as _batch_id,
    'f' as _file_id, i as _record_number
from range({STORES}) as t(i);
insert into raw.product__product by name
select 'P' || i as product_code, timestamptz '2020-01-01 00:00:00+00' as effective_at,
    'Product ' || i as name, 'Department ' || i % 12 as department,
    'Category ' || i % 150 as category, true as is_merchandise,
    i as _record_key, i as _content_hash, 'bench' as _sender, 'bench' as _feed, 1 as _batch_id,
    'f' as _file_id, i as _record_number
from range({PRODUCTS}) as t(i);
"""
# Receipt number i: its day is i spread over the days, so that rows stand in order of time.
ROWS = """
create or replace temp table receipt as
select
    i, 'R' || i as receipt_id, 'S' || hash(i) % {stores} as store_code,
    (timestamptz '{first} 09:00:00+00' + to_days((({day})::integer)))
        + to_seconds((hash(i, 1) % 36000)::bigint) as sold_at,
    case when hash(i, 2) % 3 = 0 then 'member ' || hash(i, 3) % 200000 end as member
from range({low}, {high}) as t(i);
create or replace temp table line as
select
    receipt.*, n,
    (1 + hash(i, n) % 20)::decimal(18, 4) as list_amount,
    (case when hash(i, n, 5) % 10 = 0 then 0.5 else 0 end)::decimal(18, 4) as discount_amount
from receipt cross join range(1, {per_receipt} + 1) as t(n);
insert into raw.pos_standard__receipt by name
select receipt_id, 'sale' as receipt_type, store_code, '1' as terminal_code, sold_at,
    'USD' as currency_code, member as member_number_token, {per_receipt} as line_count,
    {key_receipt} as _record_key, hash(i) >> 1 as _content_hash, 'bench' as _sender,
    'bench' as _feed, {batch} as _batch_id, 'f' as _file_id, i as _record_number
from receipt;
insert into raw.pos_standard__line by name
select receipt_id, n as line_number, 'sale' as line_type,
    'P' || hash(i, n, 7) % {products} as product_code, 1 as quantity, list_amount as unit_price,
    list_amount, discount_amount, 0 as tax_amount, list_amount / 2 as cost_amount, sold_at,
    {key_line} as _record_key, hash(i, n) >> 1 as _content_hash, 'bench' as _sender,
    'bench' as _feed, {batch} as _batch_id, 'f' as _file_id, i as _record_number
from line;
insert into raw.pos_standard__tender by name
select receipt_id, 1 as tender_number, 'cash' as tender_type_code,
    sum(list_amount - discount_amount) as amount, 'USD' as currency_code,
    any_value(sold_at) as sold_at, {key_tender} as _record_key, hash(i) >> 1 as _content_hash,
    'bench' as _sender, 'bench' as _feed, {batch} as _batch_id, 'f' as _file_id,
    i as _record_number
from line
group by i, receipt_id;
insert into ops.batch values ({batch}, 'bench', now(), 1, {high} - {low});
"""


def _key(table: str, *parts: str) -> str:
    listed = ", ".join(f"cast({part} as varchar)" for part in parts)
    return f"(md5_number_lower(concat_ws(chr(31), '{table}', 'bench', {listed})) >> 1)::bigint"


def write_rows(
    connection: duckdb.DuckDBPyConnection, low: int, high: int, day: str, batch: int
) -> None:
    """Receipts ``low`` to ``high`` with their lines and tenders; ``day`` is SQL over ``i``."""
    script = ROWS.format(
        stores=STORES,
        products=PRODUCTS,
        first=FIRST_DAY,
        per_receipt=LINES_PER_RECEIPT,
        low=low,
        high=high,
        day=day,
        batch=batch,
        key_receipt=_key("pos_standard__receipt", "receipt_id"),
        key_line=_key("pos_standard__line", "receipt_id", "n"),
        key_tender=_key("pos_standard__tender", "receipt_id", "1"),
    )
    connection.execute(script)


@contextmanager
def counted(into: dict[str, float], name: str, who: int) -> Iterator[None]:
    """Wall and CPU seconds of this process or of its children, added under a name."""
    before, begun = resource.getrusage(who), time.perf_counter()
    yield
    after = resource.getrusage(who)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    into[f"{name}_cpu_seconds"] = round(used, 1)
    into[f"{name}_seconds"] = round(time.perf_counter() - begun, 1)


def by_hand(warehouse: Warehouse) -> None:
    """Run what dbt compiled for every table and test, in dbt's order, into a schema of its own."""
    build = max((warehouse.home.dbt_target / "builds").iterdir())
    manifest = json.loads((build / "manifest.json").read_text("utf-8"))
    results = json.loads((build / "run_results.json").read_text("utf-8"))["results"]
    with warehouse.connect() as connection:
        connection.execute("create schema by_hand")
        for result in results:
            node, sql = manifest["nodes"][result["unique_id"]], result["compiled_code"]
            if node["resource_type"] == "test":
                connection.execute(f"select count(*) from ({sql}) as failing").fetchall()
            elif node["config"]["materialized"] != "view":
                connection.execute(f"create table by_hand.{node['name']} as {sql}")
        connection.execute("drop schema by_hand cascade")


def measure(lines: int, root: Path) -> dict[str, float]:
    """Build everything, again by hand, then 50,000 new lines on three days; figures by name."""
    home = Home(root).create()
    warehouse = Warehouse(home, load_master_key(home, {}))
    warehouse.create()
    receipts = lines // LINES_PER_RECEIPT
    with warehouse.connect() as connection:
        create_raw_tables(connection, load_templates(TEMPLATES))
        create_identity_tables(connection)
        ensure_calendar(connection)
        connection.execute(MASTERS)
        write_rows(connection, 0, receipts, f"i * {DAYS} // {receipts}", 1)
    found: dict[str, float] = {"lines": float(lines)}
    with WriterLock(home) as lock:
        with counted(found, "full", resource.RUSAGE_CHILDREN):
            outcome = build_models(warehouse, lock)
        assert outcome.is_complete, outcome.failed
        with counted(found, "by_hand", resource.RUSAGE_SELF):
            by_hand(warehouse)
        more = NEW_LINES // LINES_PER_RECEIPT
        with warehouse.connect() as connection:
            write_rows(connection, receipts, receipts + more, f"{DAYS - 2} + i % 3", 2)
        with counted(found, "delta", resource.RUSAGE_CHILDREN):
            outcome = build_models(warehouse, lock)
        assert outcome.is_complete, outcome.failed
    slowest = sorted(outcome.nodes, key=lambda node: -node.seconds)[:SLOWEST]
    for node in slowest:
        print(f"{node.seconds:6.2f} s {node.unique_id.split('.')[2]}", file=sys.stderr)
    with warehouse.connect(read_only=True) as connection:
        row = connection.execute("select count(*) from core.fct_sales_line").fetchone()
        assert row == (receipts * LINES_PER_RECEIPT + more * LINES_PER_RECEIPT,)
    found["delta_to_full_cpu"] = round(found["delta_cpu_seconds"] / found["full_cpu_seconds"], 3)
    found["full_to_by_hand_cpu"] = round(
        found["full_cpu_seconds"] / found["by_hand_cpu_seconds"], 2
    )
    return found


def main() -> int:
    """Print the figures; 1 where one is worse than asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=20_000_000)
    parser.add_argument("--root", type=Path, help="where the home is made; a temporary folder")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.root, prefix="bench-") as directory:
        found = measure(chosen.lines, Path(directory))
    print(json.dumps(found, indent=2))
    is_met = (
        found["delta_to_full_cpu"] <= DELTA_TARGET
        and found["full_to_by_hand_cpu"] <= BY_HAND_TARGET
    )
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
