"""Great Expectations on the open warehouse: one connection, SQL only, counts only.

Belongs here: the only imports of great_expectations. They take about three seconds, so this module
is imported inside functions. Does not: anything about keys: it is handed an open connection.
"""

from __future__ import annotations

import re
from string import Template
from typing import Any, ClassVar

import duckdb
import great_expectations as gx
import sqlalchemy as sa
from duckdb_sqlalchemy import ConnectionWrapper
from great_expectations.core.batch import Batch, LegacyBatchDefinition
from great_expectations.core.expectation_validation_result import ExpectationValidationResult
from great_expectations.core.id_dict import IDDict
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.execution_engine.sqlalchemy_batch_data import SqlAlchemyBatchData
from great_expectations.expectations.core import UnexpectedRowsExpectation
from great_expectations.render.renderer.inline_renderer import InlineRenderer
from great_expectations.validator.validator import Validator
from sqlalchemy.pool import StaticPool

from dagster_project.core.quality.suites import Expected, Suite

URL = "duckdb:///:memory:"
COUNTS_ONLY = "BOOLEAN_ONLY"  # the default result format quotes the values that failed


class Lent(ConnectionWrapper):
    """A connection that somebody else opened and will close."""

    def close(self) -> None:
        """Leave it open."""


class WarehouseEngine(SqlAlchemyExecutionEngine):
    """The stock engine on one connection that stays open, remembering the counts it computed.

    The stock engine closes the connection before the cursor it returns is read.
    """

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(engine=engine, create_temp_table=False)
        self._only = engine.connect()
        self.counted: dict[Any, Any] = {}

    def close(self) -> None:
        """Give the connection back, open."""
        self._only.close()
        self.engine.dispose()

    def execute_query(self, query: Any) -> Any:
        return self._only.execute(query)

    def execute_query_in_transaction(self, query: Any) -> Any:
        return self._only.execute(query)

    def resolve_metrics(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        resolved = super().resolve_metrics(*args, **kwargs)
        self.counted |= resolved
        return resolved


class QuietValidator(Validator):
    """The stock validator without progress bars."""

    def _determine_progress_bars(self) -> bool:
        return False


class ExpectNoRows(UnexpectedRowsExpectation):
    """No row comes out of a query over the table, counted without fetching a row."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        return {"success": metrics["unexpected_rows_query.row_count"] == 0}


def share(connection: duckdb.DuckDBPyConnection) -> WarehouseEngine:
    """The engine through which every suite runs on this connection.

    Each query commits by itself: one that fails would otherwise fail all that follow it.
    """
    return WarehouseEngine(
        sa.create_engine(
            URL,
            poolclass=StaticPool,
            creator=lambda: Lent(connection),
            isolation_level="AUTOCOMMIT",
        )
    )


def validate(engine: WarehouseEngine, suite: Suite) -> list[ExpectationValidationResult]:
    """Great Expectations' results, one per expectation of the suite and in its order."""
    data = SqlAlchemyBatchData(
        execution_engine=engine,
        schema_name=suite.schema_name,
        table_name=suite.table,
        source_schema_name=suite.schema_name,
        source_table_name=sa.quoted_name(suite.table, quote=False),
        create_temp_table=False,
    )
    batch = Batch(
        data=data,
        batch_definition=LegacyBatchDefinition(
            datasource_name="warehouse",
            data_connector_name=suite.schema_name,
            data_asset_name=suite.name,
            batch_identifiers=IDDict(),
        ),
    )
    validator = QuietValidator(execution_engine=engine, batches=[batch])
    asked = [build(expected, place) for place, expected in enumerate(suite.expectations)]
    found = validator.graph_validate(
        configurations=[expectation.configuration for expectation in asked],
        runtime_configuration={"result_format": COUNTS_ONLY},
    )
    by_position = {result.expectation_config.meta["position"]: result for result in found}
    return [by_position[position] for position in range(len(asked))]


def build(expected: Expected, position: int = 0) -> Any:
    """The expectation as Great Expectations knows it."""
    kind = "".join(part.title() for part in expected.expectation.split("_"))
    known = ExpectNoRows if kind == "ExpectNoRows" else getattr(gx.expectations, kind)
    return known(**expected.kwargs, meta={"position": position})


def failed_rows(engine: WarehouseEngine, result: ExpectationValidationResult) -> int:
    """How many rows break the expectation; 1 where it is about the table as a whole."""
    configuration = result.expectation_config
    wanted = configuration.to_domain_obj()
    names = [f"{getattr(wanted, 'map_metric', None)}.unexpected_count"]
    names.append("unexpected_rows_query.row_count")
    dependencies = wanted.get_validation_dependencies(runtime_configuration={})
    for name in names:
        metric = dependencies.get_metric_configuration(metric_name=name)
        if metric is not None and metric.id in engine.counted:
            return int(engine.counted[metric.id])
    return 1


def statement(expected: Expected) -> str:
    """The expectation in words, from Great Expectations' own renderer; declarations only."""
    if expected.expectation == "expect_no_rows":
        query = " ".join(expected.kwargs["unexpected_rows_query"].split())
        return f"No row comes from: {query}"
    rendered = InlineRenderer(render_object=build(expected).configuration).get_rendered_content()
    value = rendered[0].value
    words = {name: param["value"] for name, param in (value.params or {}).items()}
    return Template(value.template).safe_substitute(words)


def error_of(result: ExpectationValidationResult) -> str | None:
    """The kind of error that kept an expectation from being judged; its message may quote data."""
    info = result.exception_info or {}
    details = [info, *(detail for detail in info.values() if isinstance(detail, dict))]
    if not any(detail.get("raised_exception") for detail in details):
        return None
    text = " ".join(str(detail.get("exception_message")) for detail in details)
    kind = re.search(r"duckdb\.(?:duckdb\.)?(\w+)\)", text)
    return f"could not be judged: {kind[1] if kind else 'unexpected error'}"
