"""Days that cannot be judged are a check that says why, and keep nothing from being published."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from dagster_project.core.anomalies import Watch, load_watch
from dagster_project.core.ops_tables import OPS_TABLES
from dagster_project.defs.store_days import WATCH, _judge

TODAY = date(2026, 3, 9)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("create schema ops; create schema vault; create schema core;" + OPS_TABLES)
        yield opened


@pytest.fixture
def watch() -> Watch:
    return load_watch(WATCH)


def told(connection: duckdb.DuckDBPyConnection, watch: Watch) -> set[tuple[bool, bool, str | None]]:
    found = _judge(connection, watch, None, TODAY, "run")
    assert [one.table_name for one in found] == [one.table for one in watch.tables]
    return {(one.has_passed, one.is_blocking, one.error) for one in found}


def test_a_mart_that_is_missing_is_named(
    connection: duckdb.DuckDBPyConnection, watch: Watch
) -> None:
    assert told(connection, watch) == {
        (False, False, "core.fct_sales_line is watched and does not exist")
    }


def test_what_the_engine_refuses_is_said_without_its_words(
    connection: duckdb.DuckDBPyConnection, watch: Watch
) -> None:
    for watched in watch.tables:
        columns = ", ".join(
            f"date '2026-03-02' as {name}" if name == watched.day else f"'secret' as {name}"
            for name in sorted(watched.columns)
        )
        connection.execute(f"create table {watched.name} as select {columns}")

    assert told(connection, watch) == {(False, False, "could not be judged: BinderException")}
    assert connection.execute("select count(*) from ops.anomaly").fetchone() == (0,)
