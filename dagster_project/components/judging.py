"""Suites judged once per state of the data; the verdict stands until data or suites change.

Belongs here: when to judge again and what Dagster is told. Does not: judging (``core.quality``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from dagster_project.components.writer import POOL, WriterResource
from dagster_project.core.home import Home
from dagster_project.core.quality import CheckResult, Suite, record_results, run_suites
from dagster_project.core.quality import write_data_docs as write_docs


@dataclass(frozen=True)
class Layer:
    """Suites that are judged together, in one step."""

    name: str
    suites: tuple[Suite, ...]
    builds: tuple[str, ...]  # of ops.build_state: what writes the layer's tables after a load


def suite_checks(layer: Layer) -> dg.AssetChecksDefinition:
    """One step that judges a layer's suites; one check per expectation.

    A blocking check that fails keeps every step that reads its table from starting.
    """
    suites = layer.suites

    @dg.multi_asset_check(name=layer.name, specs=list(_specs(suites)), pool=POOL)
    def judge(context, writer: WriterResource) -> Iterator[dg.AssetCheckResult]:  # noqa: ANN001 - dagster takes no other annotation through a factory
        results = _standing(writer, layer)
        if results is None:
            results = run_suites(writer.warehouse, suites)
            _keep(writer, layer, results, context.run.run_id)
            context.log.info(f"{len(results)} expectations of {len(suites)} tables judged")
        else:
            context.log.info(f"unchanged: {len(results)} expectations stand as they were judged")
        for result in results:
            yield _told(result)

    return judge


def _specs(suites: Sequence[Suite]) -> Iterator[dg.AssetCheckSpec]:
    for suite in suites:
        for expected in suite.expectations:
            yield dg.AssetCheckSpec(
                expected.check_name,
                asset=[suite.schema_name, suite.table],
                description=expected.why,
                blocking=expected.blocking,
                metadata={"severity": expected.severity, "expectation": expected.expectation},
            )


def _told(result: CheckResult) -> dg.AssetCheckResult:
    """Counts and reasons; no value of the data leaves the warehouse."""
    stops = result.severity == "error"
    return dg.AssetCheckResult(
        asset_key=[result.schema_name, result.table_name],
        check_name=result.check_name,
        passed=result.has_passed,
        severity=dg.AssetCheckSeverity.ERROR if stops else dg.AssetCheckSeverity.WARN,
        description=result.statement,
        metadata={
            "failed rows": result.failed_count,
            "rows": result.row_count,
            "why": result.why,
            **({"could not be judged": result.error} if result.error else {}),
        },
    )


def _standing(writer: WriterResource, layer: Layer) -> list[CheckResult] | None:
    """The verdict over this very state of the data, None when it has to be judged."""
    path = _kept(writer.home, layer.name)
    if not path.exists():
        return None
    with writer.warehouse.connect(read_only=True) as connection:
        state = _state(connection, layer)
    kept = json.loads(path.read_text("utf-8"))
    return [CheckResult(**row) for row in kept["results"]] if kept["state"] == state else None


def _keep(
    writer: WriterResource, layer: Layer, results: Sequence[CheckResult], run_id: str
) -> None:
    """Record the verdict in the warehouse and rewrite the data docs of every layer."""
    with writer.warehouse.connect() as connection:
        record_results(connection, run_id, results)
        state = _state(connection, layer)
    content = {"state": state, "results": [asdict(result) for result in results]}
    path = _kept(writer.home, layer.name)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), "utf-8")
    layers = [json.loads(p.read_text("utf-8"))["results"] for p in path.parent.glob("*.json")]
    everything = [CheckResult(**row) for layer in layers for row in layer]
    write_docs(writer.home, everything, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")


def _kept(home: Home, name: str) -> Path:
    return home.data_docs / f"{name}.json"


def _state(connection: duckdb.DuckDBPyConnection, layer: Layer) -> str:
    """Changes with the suites, with every load and with every build of the layer's tables."""
    rows: list[Any] = connection.execute(
        "select 'load', max(batch_id), max(committed_at)::varchar from ops.batch union all "
        "select build, built_batch_id, fingerprint || built_at::varchar from ops.build_state "
        "where list_contains(?, build) order by all",
        [list(layer.builds)],
    ).fetchall()
    return sha256(repr((layer, rows)).encode()).hexdigest()
