"""Suites judged once per state of their tables; a verdict stands until data or suite change.

Belongs here: when to judge again and what Dagster is told. Does not: judging (``core.quality``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from dagster_project.components.writer import POOL, WriterResource
from dagster_project.core.quality import (
    CheckResult,
    Suite,
    kept_results,
    record_results,
    record_states,
    recorded_states,
    run_suites,
    suite_states,
    write_data_docs,
)


@dataclass(frozen=True)
class Layer:
    """Suites that are judged together, in one step."""

    name: str
    suites: tuple[Suite, ...]
    schemas: frozenset[str]


def suite_checks(layer: Layer) -> dg.AssetChecksDefinition:
    """One step that judges a layer's suites; one check per expectation.

    A blocking check that fails keeps every step that reads its table from starting.
    """

    @dg.multi_asset_check(name=layer.name, specs=list(_specs(layer.suites)), pool=POOL)
    def judge(context, writer: WriterResource) -> Iterator[dg.AssetCheckResult]:  # noqa: ANN001 - dagster takes no other annotation through a factory
        results, judged = _judged(writer, layer, context.run.run_id)
        counts = f"{len(results)} expectations of {len(layer.suites)} tables"
        context.log.info(
            f"{counts}: {judged} tables judged, the others stand as they were judged"
            if judged
            else f"unchanged: {counts} stand as they were judged"
        )
        for result in results:
            yield _told(result)

    return judge


def _judged(writer: WriterResource, layer: Layer, run_id: str) -> tuple[list[CheckResult], int]:
    """Every result of the layer, and how many of its suites had to be judged for it."""
    with writer.warehouse.connect(read_only=True) as connection:
        states, before = suite_states(connection, layer.suites), recorded_states(connection)
        kept = kept_results(connection, layer.suites)
    stale = [
        suite
        for suite in layer.suites
        if before.get(place := (suite.schema_name, suite.table)) != states[place]
        or {one.check_name for one in suite.expectations} != set(kept.get(place, ()))
    ]
    fresh = run_suites(writer.warehouse, stale)
    gone = {place for place in before if place[0] in layer.schemas and place not in states}
    if stale or gone:
        with writer.warehouse.connect() as connection:
            record_results(connection, run_id, fresh)
            record_states(connection, states, layer.schemas)
            at = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
            write_data_docs(writer.home, connection, at)
    for result in fresh:
        kept.setdefault((result.schema_name, result.table_name), {})[result.check_name] = result
    results = [
        kept[suite.schema_name, suite.table][expected.check_name]
        for suite in layer.suites
        for expected in suite.expectations
    ]
    return results, len(stale)


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
