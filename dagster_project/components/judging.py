"""Suites judged once per state of their tables; a verdict stands until data or suite change.

Belongs here: when to judge again and what Dagster is told. Does not: judging (``core.quality``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from dagster_project.components.tables import as_table
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

CHECK = "expectations"
# One row per expectation in the check's metadata, the failed ones first.
COLUMNS = ("expectation", "outcome", "failed rows", "why")
EXPECTATIONS, PASSED, STOPS = "expectations", "passed", "failed, blocking"


@dataclass(frozen=True)
class Layer:
    """Suites that are judged together, in one step."""

    name: str
    suites: tuple[Suite, ...]
    schemas: frozenset[str]


def suite_checks(layer: Layer) -> dg.AssetChecksDefinition:
    """One step that judges a layer's suites; one check per suite, with counts per expectation.

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
        for suite in layer.suites:
            place = (suite.schema_name, suite.table)
            of_suite = [one for one in results if (one.schema_name, one.table_name) == place]
            yield _told(suite, of_suite)

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
        yield dg.AssetCheckSpec(
            CHECK,
            asset=[suite.schema_name, suite.table],
            description=f"{len(suite.expectations)} expectations: {suite.description}",
            blocking=any(expected.blocking for expected in suite.expectations),
            metadata={"expectations": len(suite.expectations)},
        )


def _told(suite: Suite, results: Sequence[CheckResult]) -> dg.AssetCheckResult:
    """Counts and reasons; no value of the data leaves the warehouse.

    Of severity ERROR only where what follows must stop: Dagster stops it for every error of a
    check that may block.
    """
    failed = [result for result in results if not result.has_passed]
    stops = any(result.is_blocking for result in failed)
    rows = [
        (one.check_name, _outcome(one), one.failed_count, one.why)
        for one in sorted(results, key=lambda one: (one.has_passed, not one.is_blocking))
    ]
    return dg.AssetCheckResult(
        asset_key=[suite.schema_name, suite.table],
        check_name=CHECK,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if stops else dg.AssetCheckSeverity.WARN,
        description="; ".join(map(_said, failed)) or None,
        metadata={
            "failed expectations": len(failed),
            "failed rows": sum(one.failed_count for one in failed),
            "rows": max((one.row_count for one in results), default=0),
            EXPECTATIONS: as_table(COLUMNS, rows),
        },
    )


def _outcome(result: CheckResult) -> str:
    if result.has_passed:
        return PASSED
    failed = STOPS if result.is_blocking else f"failed, {result.severity}"
    return f"{failed}: {result.error}" if result.error else failed


def _said(result: CheckResult) -> str:
    """A failed expectation in a few words; the Data Docs have its query."""
    name = result.check_name.replace("_", " ")
    counts = f"{result.failed_count:,} of {result.row_count:,} rows"
    return f"{name} ({counts}): {_outcome(result)}"
