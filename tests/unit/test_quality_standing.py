"""A suite is judged again when it or a table it reads has changed, and only then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import duckdb
import pytest

from dagster_project.core.model_sources import record_built
from dagster_project.core.ops_tables import OPS_TABLES
from dagster_project.core.quality import (
    CheckResult,
    Suite,
    kept_results,
    record_results,
    record_states,
    recorded_states,
    suite_states,
)

AT = datetime(2026, 1, 5, tzinfo=UTC)
LATER = datetime(2026, 1, 6, tzinfo=UTC)


def suite(schema: str, table: str, query: str = "select 1 from {batch} where till < 0") -> Suite:
    expectation = {
        "expectation": "expect_no_rows",
        "name": "nothing_is_wrong",
        "kwargs": {"unexpected_rows_query": query},
        "why": "Somebody would be misled by it.",
        "severity": "error",
        "blocking": True,
    }
    return Suite.model_validate(
        {
            "schema": schema,
            "table": table,
            "description": "One row per till.",
            "expectations": [expectation],
        }
    )


SUITES = [
    suite("raw", "till"),
    suite("raw", "stock"),
    suite("core", "dim_till"),
    suite("core", "fct_receipt", "select 1 from {batch} where till not in (from raw.till)"),
    suite("customer", "open_list"),
]


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(
            "create schema ops; create schema vault; create schema raw; create schema core; "
            "create schema customer;" + OPS_TABLES
        )
        for table in ("till", "stock"):
            opened.execute(f"create table raw.{table} as select 1 as till, 1::bigint as _batch_id")
        opened.execute("create table core.dim_till as select 1 as till")
        opened.execute("create table core.fct_receipt as select 1 as till")
        opened.execute("create view customer.open_list as select 1 as till")
        record_built(opened, ["model.shop.dim_till", "model.shop.fct_receipt", "test.shop.x"], AT)
        opened.execute("insert into ops.build_state values ('models', 1, 'code', '2026-01-05')")
        yield opened


def changed(connection: duckdb.DuckDBPyConnection, statement: str) -> set[str]:
    before = suite_states(connection, SUITES)
    connection.execute(statement)
    after = suite_states(connection, SUITES)
    return {".".join(place) for place in before if before[place] != after[place]}


def test_nothing_changes_by_itself(connection: duckdb.DuckDBPyConnection) -> None:
    assert changed(connection, "select 1") == set()


def test_a_load_concerns_its_table_and_those_whose_suites_read_it(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    found = changed(connection, "insert into raw.till values (2, 2)")

    assert found == {"raw.till", "core.fct_receipt"}


def test_a_build_concerns_what_it_made_and_every_view(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    before = suite_states(connection, SUITES)
    record_built(connection, ["model.shop.dim_till"], LATER)
    connection.execute("update ops.build_state set built_at = '2026-01-06'")
    after = suite_states(connection, SUITES)

    assert {place for place in before if before[place] != after[place]} == {
        ("core", "dim_till"),
        ("customer", "open_list"),
    }


def test_a_suite_that_says_something_else_is_judged_again(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    place = ("core", "dim_till")
    other = suite(*place, "select 1 from {batch} where till < 1")

    assert suite_states(connection, [other])[place] != suite_states(connection, SUITES)[place]


def test_what_a_suite_found_is_forgotten_with_the_suite(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    results = [
        CheckResult(one.schema_name, one.table, "nothing_is_wrong", "error", True, False, 7, 9,
                    "Somebody would be misled by it.", "No row comes out.")
        for one in SUITES
    ]  # fmt: skip
    record_results(connection, "first", results)
    record_states(connection, suite_states(connection, SUITES[:2]), {"raw"})
    record_states(connection, suite_states(connection, SUITES[2:3]), {"core"})

    assert set(recorded_states(connection)) == {
        ("raw", "till"), ("raw", "stock"), ("core", "dim_till")
    }  # fmt: skip
    kept = kept_results(connection, SUITES)
    assert set(kept) == {
        ("raw", "till"), ("raw", "stock"), ("core", "dim_till"), ("customer", "open_list")
    }  # fmt: skip
    assert kept["raw", "till"] == {"nothing_is_wrong": results[0]}


def test_the_results_that_stand_are_those_of_the_last_judgement(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    first = CheckResult("raw", "till", "gone_since", "error", True, False, 7, 9, "Because it is.",
                        "No row comes out.")  # fmt: skip
    record_results(connection, "first", [first])
    second = CheckResult("raw", "till", "nothing_is_wrong", "error", True, True, 0, 9,
                         "Because it is.", "No row comes out.")  # fmt: skip
    record_results(connection, "second", [second])

    assert kept_results(connection, SUITES[:1]) == {("raw", "till"): {"nothing_is_wrong": second}}
