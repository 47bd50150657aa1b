"""What the marts of a small warehouse hold, to be compared with what another way ends in.

Load columns are left out, and persons are compared by what identifies them: a person's key depends
on who was met first.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import duckdb
from small_warehouse import SmallWarehouse

from dagster_project.core.warehouse import MART_SCHEMAS, SENSITIVE_SCHEMA

FACTS = (
    "core.fct_transaction",
    "core.fct_sales_line",
    "core.fct_tender",
    "core.fct_discount",
    "core.fct_tax",
    "core.fct_pos_step",
    "core.fct_web_event",
    "core.fct_social_post",
    "core.fct_points_ledger",
    "core.fct_consent",
    "customer.customer_360",
    "intermediate.int_sales__lines_typed_otherwise",
)
# Whose identifier was when is history: it depends on what was known first, as it should.
HISTORICAL = {"core.bridge_identity"}
# Keys made of a person's key or of the moment it was known.
PERSON_KEYED = {
    "customer_key",
    "customer_durable_key",
    "customer_snapshot_key",
    "household_key",
    "points_balances_key",
}
# A person's key depends on who was met first: persons are compared by what identifies them.
PERSONS = (
    "(select person_key, string_agg(sender || identifier_kind || identifier_token, ' ' "
    "order by sender, identifier_kind, identifier_token) as person "
    "from identity.person_identifier where person_key is not null group by person_key)"
)
Content = dict[str, Counter[tuple[Any, ...]]]


def marts(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Every table that a reader may see, and the lines that count nowhere."""
    found = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() "
        f"where schema_name in {(*MART_SCHEMAS, SENSITIVE_SCHEMA)} order by all"
    ).fetchall()
    return sorted({table for (table,) in found} - HISTORICAL | set(FACTS))


def content(small: SmallWarehouse) -> Content:
    """Every row of every mart without load columns, persons by what identifies them."""
    with small.warehouse.connect(read_only=True) as connection:
        return {
            table: Counter(connection.execute(_comparable(connection, table)).fetchall())
            for table in marts(connection)
        }


def _comparable(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    columns = {row[0] for row in connection.execute(f"describe {table}").fetchall()}
    left_out = sorted(columns & {"batch_id", "changed_batch_id", *PERSON_KEYED})
    excluded = f"exclude ({', '.join(left_out)})" if left_out else ""
    if "customer_durable_key" not in columns:
        return f"select * {excluded} from {table}"
    version = "customers.valid_from_at" if "customer_key" in columns else "null"
    known_then = "left join core.dim_customer as customers using (customer_key)"
    return (
        f"select fact.* {excluded}, coalesce(persons.person, fact.customer_durable_key::varchar), "
        f"{version} from {table} as fact "
        f"left join {PERSONS} as persons on fact.customer_durable_key = persons.person_key "
        f"{known_then if 'customer_key' in columns else ''}"
    )


def differences(found: Content, expected: Content) -> dict[str, tuple[list[Any], list[Any]]]:
    return {
        table: (list((found[table] - rows).items()), list((rows - found[table]).items()))
        for table, rows in expected.items()
        if found[table] != rows
    }


def fingerprints(small: SmallWarehouse) -> dict[str, tuple[int, int]]:
    """Number of rows and a sum of row hashes of every mart: for more rows than fit a Counter."""
    found = {}
    with small.warehouse.connect(read_only=True) as connection:
        for table in marts(connection):
            rows = f"({_comparable(connection, table)}) as compared"
            sql = f"select count(*), coalesce(sum(hash(compared)::hugeint), 0) from {rows}"
            found[table] = connection.execute(sql).fetchone()
    return found
