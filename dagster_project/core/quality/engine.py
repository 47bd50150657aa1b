"""Great Expectations on the open warehouse: one connection, SQL only, counts only.

Belongs here: the only imports of great_expectations. They take about three seconds, so this module
is imported inside functions. Does not: anything about keys: it is handed an open connection.

The library says which metrics an expectation needs and judges by them. The metrics come from
``scanning``, which reads a table once for all of them; the library's own way reads it once or
twice for each, and its graph of metrics costs as much again before it reads a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import duckdb
import great_expectations as gx
import sqlalchemy as sa
from duckdb_sqlalchemy import ConnectionWrapper
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.core import UnexpectedRowsExpectation
from great_expectations.expectations.expectation import Expectation
from great_expectations.validator.metric_configuration import MetricConfiguration
from sqlalchemy.pool import StaticPool

from dagster_project.core.quality.measures import (
    UNEXPECTED,
    Asked,
    Judged,
    Measure,
    UnmeasurableError,
    measure,
)
from dagster_project.core.quality.scanning import FailedError, scan
from dagster_project.core.quality.suites import Expected, Suite

URL = "duckdb:///:memory:"
COUNTS_ONLY = "BOOLEAN_ONLY"  # the default result format quotes the values that failed
QUERY_COUNT = "unexpected_rows_query.row_count"
ROW_COUNT, COLUMNS = "table.row_count", "table.columns"
Metrics = Mapping[str, MetricConfiguration]  # of one expectation, by the names it uses
NO_ROWS = "expect_no_rows"


@dataclass(frozen=True)
class Answer:
    """What came of one expectation."""

    has_passed: bool
    failed_count: int  # rows that break it; 1 where it is about the table as a whole
    error: str | None = None  # why it could not be judged; quotes no data


class Lent(ConnectionWrapper):
    """A connection that somebody else opened and will close."""

    def close(self) -> None:
        """Leave it open."""


class WarehouseEngine(SqlAlchemyExecutionEngine):
    """The library's engine on one connection that stays open."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, engine: sa.Engine) -> None:
        super().__init__(engine=engine, create_temp_table=False)
        self.lent = connection
        self._only = engine.connect()

    def close(self) -> None:
        """Give the connection back, open."""
        self._only.close()
        self.engine.dispose()

    def row(self, statement: str, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
        """The only row of a statement; raises FailedError with the kind of DuckDB's error."""
        try:
            return tuple(self._only.exec_driver_sql(statement, parameters).one())
        except sa.exc.DBAPIError as error:
            raise FailedError(type(error.orig).__name__) from None


class ExpectNoRows(UnexpectedRowsExpectation):
    """No row comes out of a query over the table, counted without fetching a row."""

    metric_dependencies: ClassVar[tuple[str, ...]] = (QUERY_COUNT,)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        return {"success": metrics[QUERY_COUNT] == 0}


def share(connection: duckdb.DuckDBPyConnection) -> WarehouseEngine:
    """The engine through which every suite runs on this connection.

    Each query commits by itself: one that fails would otherwise fail all that follow it.
    """
    return WarehouseEngine(
        connection,
        sa.create_engine(
            URL,
            poolclass=StaticPool,
            creator=lambda: Lent(connection),
            isolation_level="AUTOCOMMIT",
        ),
    )


def validate(
    engine: WarehouseEngine, suite: Suite, types: Mapping[str, str]
) -> tuple[int, list[Answer]]:
    """Rows of the suite's table, and one answer per expectation of the suite, in its order.

    ``types`` are those of the table's columns, as DuckDB writes them.
    """
    table = Judged(suite.schema_name, suite.table, types)
    asked = [build(expected) if _has_columns(expected, types) else None
             for expected in suite.expectations]  # fmt: skip
    needed = [_metrics(engine, one) if one else {} for one in asked]
    values = _values(engine, table, needed)
    answers = [
        _answer(engine, one, metrics, values) if one else _without(expected, types)
        for expected, one, metrics in zip(suite.expectations, asked, needed, strict=True)
    ]
    row_count = values[_ROWS]
    return (0 if isinstance(row_count, FailedError) else int(row_count)), answers


def build(expected: Expected) -> Expectation:
    """The expectation as Great Expectations knows it."""
    kind = "".join(part.title() for part in expected.expectation.split("_"))
    known = ExpectNoRows if expected.expectation == NO_ROWS else getattr(gx.expectations, kind)
    made: Expectation = known(**expected.kwargs)
    return made


_ROWS = ("rows",)  # not an id of the library's
_TOTAL = Asked(ROW_COUNT, {}, {})


def _has_columns(expected: Expected, types: Mapping[str, str]) -> bool:
    return set(expected.columns) <= set(types)


def _without(expected: Expected, types: Mapping[str, str]) -> Answer:
    missing = sorted(set(expected.columns) - set(types))
    return Answer(has_passed=False, failed_count=1, error=f"no column {', '.join(missing)}")


def _metrics(engine: WarehouseEngine, asked: Expectation) -> Metrics:
    found = asked.get_validation_dependencies(
        execution_engine=engine, runtime_configuration={"result_format": COUNTS_ONLY}
    )
    return found.metric_configurations


def _values(
    engine: WarehouseEngine, table: Judged, needed: list[Metrics]
) -> dict[tuple[str, ...], Any]:
    """Every metric by its id; the error where there is no value."""
    values: dict[tuple[str, ...], Any] = {}
    measures: dict[tuple[str, ...], Measure] = {_ROWS: measure(_TOTAL, table)}
    queries: dict[tuple[str, ...], str] = {}
    for one in _distinct(needed):
        if one.metric_name == COLUMNS:
            values[one.id] = list(table.types)
        elif one.metric_name == QUERY_COUNT:
            queries[one.id] = one.metric_value_kwargs["unexpected_rows_query"]
        else:
            asked = Asked(one.metric_name, one.metric_domain_kwargs, one.metric_value_kwargs)
            try:
                measures[one.id] = measure(asked, table)
            except UnmeasurableError as error:
                values[one.id] = FailedError(str(error))
    return values | scan(engine.lent, engine.row, table, measures, queries)


def _distinct(needed: list[Metrics]) -> Iterator[MetricConfiguration]:
    return iter({one.id: one for metrics in needed for one in metrics.values()}.values())


def _answer(
    engine: WarehouseEngine,
    asked: Expectation,
    metrics: Metrics,
    values: dict[tuple[str, ...], Any],
) -> Answer:
    errors = [v for m in metrics.values() if isinstance(v := values[m.id], FailedError)]
    if errors:
        error = f"could not be judged: {errors[0].kind}"
        return Answer(has_passed=False, failed_count=1, error=error)
    try:
        verdict = asked.metrics_validate(
            metrics=values,
            runtime_configuration={"result_format": COUNTS_ONLY},
            execution_engine=engine,
        )
    except (TypeError, ValueError) as error:  # a mean of days is no number
        kind = f"could not be judged: {type(error).__name__}"
        return Answer(has_passed=False, failed_count=1, error=kind)
    if verdict.success:
        return Answer(has_passed=True, failed_count=0)
    counts = (f"{getattr(asked, 'map_metric', None)}{UNEXPECTED}", QUERY_COUNT)
    failed = [int(values[metrics[name].id]) for name in counts if name in metrics]
    return Answer(has_passed=False, failed_count=failed[0] if failed else 1)
