"""A small home worth keeping: rows, a view, a sequence, constraints, originals, an audit log."""

from __future__ import annotations

from hashlib import sha256

from dagster_project.core.audit_log import record
from dagster_project.core.feeds.store import Original, Sealer
from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.warehouse import Warehouse

LOOSE_ORIGINALS = 3
PACKED_ORIGINALS = 20


def fill(warehouse: Warehouse, *, rows: int = 1000) -> None:
    """Write a day's rows and keep the files they came from."""
    with warehouse.connect() as connection:
        connection.execute("create schema if not exists core")
        connection.execute(
            "create or replace table core.fct_sales_line as select i as sales_line_key, "
            "i // 3 as transaction_key, (i % 97)::decimal(18, 2) as net_amount, "
            f"'line ' || i as note from range({rows}) as t(i)"
        )
        connection.execute(
            "create or replace view core.sales as select transaction_key, sum(net_amount) as net "
            "from warehouse.core.fct_sales_line group by all"
        )
        (batch,) = connection.execute("select nextval('ops.batch_sequence')").fetchone()
        connection.execute(
            "insert into ops.batch values (?, 'till', current_timestamp, 1, ?)", [batch, rows]
        )
    keep_originals(warehouse.home, warehouse.key)
    record(warehouse.home, warehouse.key, "load", "till", batch=batch, rows=rows)


def contents() -> list[bytes]:
    """What was delivered."""
    return [f"receipt,{number}\n".encode() * 50 for number in range(23)]


def keep_originals(home: Home, key: MasterKey) -> None:
    """Some originals by themselves, the others in a pack."""
    found = [Original(sha256(one).hexdigest(), str(n), one) for n, one in enumerate(contents())]
    sealer = Sealer(home, key)
    sealer.keep(found[:LOOSE_ORIGINALS])
    sealer.keep(found[LOOSE_ORIGINALS:])
    sealer.close()


def rows_of(warehouse: Warehouse) -> dict[str, tuple[int, int]]:
    """Every table's rows and a sum over them, and what its view says."""
    with warehouse.connect(read_only=True) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where database_name = current_database() union all select 'core.sales'"
        ).fetchall()
        return {
            name: connection.execute(
                f"select count(*), coalesce(sum(hash(t)), 0) from {name} as t"
            ).fetchone()
            for (name,) in tables
        }
