"""Publishing: copy what an audience may see, describe it, audit it, expose it.

Belongs here: the order of the steps. Does not: any step's detail. Until the last rename nothing a
reader can see has changed, whatever fails before it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.core import audit_log
from dagster_project.core.home import Home
from dagster_project.core.modelling import UNFINISHED
from dagster_project.core.publishing import audit as auditing
from dagster_project.core.publishing import copying, headlines, metrics, summaries, versions
from dagster_project.core.publishing.comments import comment
from dagster_project.core.publishing.errors import PublicationError
from dagster_project.core.publishing.policy import Audience, audience_of
from dagster_project.core.publishing.tables import Table, read_manifest, tables_for
from dagster_project.core.warehouse import CATALOG, Warehouse

TARGET = "publication"
PREVIOUS = "previous_publication"
STORAGE_VERSION = "v1.0.0"
# What can change between two publications, in words, by the part of the fingerprint that holds it.
CAUSES = {
    "data": "new data",
    "models": "changed models",
    "forecast": "new forecasts",
    "rows": "other row counts",
    "layout": "changed descriptions, classes or metrics",
}


@dataclass(frozen=True)
class PublicationOutcome:
    """What a publication came to; ``rows`` counts all published tables together."""

    version: int
    is_new: bool
    rows: int
    path: Path
    reason: str


@dataclass(frozen=True)
class _Plan:
    """Everything that is decided before the first row is copied."""

    audience: Audience
    run_id: str
    tables: tuple[Table, ...]
    fingerprint: Mapping[str, str]
    checks: summaries.CheckCounts
    current: versions.Publication | None  # what readers see now
    version: int

    @property
    def reason(self) -> str:
        if self.current is None:
            return "first publication"
        before = json.loads(self.current.fingerprint)
        causes = [w for part, w in CAUSES.items() if before.get(part) != self.fingerprint[part]]
        return ", ".join(causes)


def publish(
    warehouse: Warehouse, audience: str, manifest: Mapping[str, Any] | Path, *, run_id: str
) -> PublicationOutcome:
    """Publish the marts for an audience, unless the newest version already holds them.

    The caller holds the writer's lock and no other engine on the warehouse; the warehouse is only
    read. ``manifest`` is dbt's, or its path. Raises PublicationError, with what readers see
    untouched, when a blocking check has failed, a column is not classed, the audit finds
    something, or the disk is full.
    """
    home = warehouse.home
    try:
        versions.clear_building(home)
        current = versions.latest_publication(home, audience)
        if current is not None:  # a run killed just after exposing it did not keep it
            versions.keep_version(home, audience, current.version)
        with warehouse.connect(read_only=True) as connection:
            permitted = audience_of(home, audience)
            tables = tables_for(permitted, read_manifest(manifest), connection)
            plan = _plan(connection, home, tables, current, audience=permitted, run_id=run_id)
            if unchanged := _unchanged(home, plan):
                return unchanged
            rows = _build(connection, home, plan)
        path = versions.expose(home, audience, plan.version)
        told = {"version": plan.version, "rows": rows, "tables": len(plan.tables)}
        audit_log.record(home, warehouse.key, "publish", audience, **told)
    except (duckdb.Error, OSError) as error:
        raise PublicationError(_explain(error)) from error
    finally:
        versions.clear_building(home)
    return PublicationOutcome(plan.version, True, rows, path, plan.reason)


def _plan(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    tables: tuple[Table, ...],
    current: versions.Publication | None,
    *,
    audience: Audience,
    run_id: str,
) -> _Plan:
    checks = summaries.count_checks(connection, CATALOG)
    if checks.blocking_failures:
        raise PublicationError(f"blocking checks failed: {'; '.join(checks.blocking_failures)}")
    known = versions.kept_versions(home, audience.name)
    return _Plan(
        audience=audience,
        run_id=run_id,
        tables=tables,
        fingerprint=_fingerprint(connection, tables),
        checks=checks,
        current=current,
        version=max(known, default=0) + 1,
    )


def _fingerprint(
    connection: duckdb.DuckDBPyConnection, tables: tuple[Table, ...]
) -> dict[str, str]:
    """What the marts hold, told by the builds that made them: a build is deterministic.

    Raises PublicationError before the first complete build: half-built marts are not published.
    """
    builds = {
        build: (str(batch), fingerprint)
        for build, batch, fingerprint in connection.execute(
            "select build, built_batch_id, fingerprint from ops.build_state"
        ).fetchall()
    }
    if builds.get("models", (0, UNFINISHED))[1].startswith(UNFINISHED):
        raise PublicationError("the models have not been built completely yet")
    batch, code = builds["models"]
    counts = [
        connection.execute(f"select count(*) from {t.full_name} where {t.condition}").fetchone()
        for t in tables
    ]
    layout = (STORAGE_VERSION, tables, metrics.METRICS, metrics.view_sql(), summaries.OPS_TABLES)
    return {
        "data": batch,
        "models": code,
        "forecast": "/".join(builds.get("forecast", ())),
        "rows": _short_hash(counts),
        "layout": _short_hash(layout),
    }


def _short_hash(content: object) -> str:
    return sha256(repr(content).encode()).hexdigest()[:16]


def _unchanged(home: Home, plan: _Plan) -> PublicationOutcome | None:
    """The outcome where the newest version, published or taken back, already holds the marts."""
    current = plan.current
    if current is None:
        return None
    newest = versions.kept_versions(home, plan.audience.name)[-1]
    kept = versions.version_path(home, plan.audience.name, newest)
    if (
        json.loads(versions.read_publication(kept, plan.audience.name).fingerprint)
        != plan.fingerprint
    ):
        return None
    reason = f"nothing new since version {newest}"
    if newest != current.version:
        reason += f", which was rolled back to version {current.version}"
    return PublicationOutcome(current.version, False, current.row_count, current.path, reason)


def _build(connection: duckdb.DuckDBPyConnection, home: Home, plan: _Plan) -> int:
    """Write and audit the temporary file; the number of rows of all its tables."""
    path = versions.building_path(home, plan.audience.name)
    if plan.current is not None and not _is_written_anew(home, plan, plan.current):
        shutil.copyfile(plan.current.path, path)
    _attach(connection, path, TARGET, f"storage_version '{STORAGE_VERSION}'")
    if plan.current is not None:
        _attach(connection, plan.current.path, PREVIOUS, "read_only")
    connection.execute(f"use {TARGET}")
    copying.drop_others(connection, plan.tables, TARGET)
    rows = copying.bring_up(connection, plan.tables, TARGET)
    connection.begin()  # hundreds of small statements, one write to the disk
    _describe_tables(connection, plan.tables)
    has_metrics = metrics.create_metric_views(connection, plan.tables)
    _describe_publication(connection, plan, rows, has_metrics)
    connection.commit()
    auditing.audit(connection, plan.tables, source=CATALOG, target=TARGET)
    connection.execute(f"use {CATALOG}")
    connection.execute(f"checkpoint {TARGET}")
    connection.execute(f"detach {TARGET}")
    return sum(rows.values())


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, alias: str, option: str) -> None:
    literal = str(path).replace("'", "''")
    connection.execute(f"attach '{literal}' as {alias} ({option})")


def _is_written_anew(home: Home, plan: _Plan, current: versions.Publication) -> bool:
    """Whether no byte of the file before may go on: rows that were deleted leave theirs behind.

    So it is after an erasure, and whenever the versions that could be gone back to have all been
    replaced; also with other models or classes, with which most of a file changes.
    """
    before = json.loads(current.fingerprint)
    is_same = all(before.get(part) == plan.fingerprint[part] for part in ("models", "layout"))
    erased_at = home.erasures.stat().st_mtime if home.erasures.exists() else 0
    return (
        not is_same
        or plan.version % versions.KEPT_VERSIONS == 0
        or erased_at >= current.published_at.timestamp()
    )


def _describe_tables(connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> None:
    for table in tables:
        comment(connection, "table", table.full_name, table.description)
        for column in table.columns:
            place = f'{table.full_name}."{column.name}"'
            comment(connection, "column", place, column.description)


def _describe_publication(
    connection: duckdb.DuckDBPyConnection, plan: _Plan, rows: Mapping[str, int], has_metrics: bool
) -> None:
    """Fill ``ops``: the version, what changed, feeds, checks and the dictionary."""
    current = plan.current
    summaries.create_ops(connection, previous=PREVIOUS if current else None)
    if plan.audience.stores is None:  # feeds and checks are not one store's
        summaries.summarise_sources(connection, source=CATALOG)
    summaries.record_tables(connection, plan.version, plan.tables, rows, current)
    if has_metrics:
        has_previous = current is not None and current.data_up_to is not None
        headlines.record_headlines(
            connection,
            plan.version,
            headlines.Catalogs(CATALOG, TARGET, PREVIOUS if has_previous else None),
            current,
            models=plan.fingerprint["models"],
        )
    connection.execute(
        "insert into ops.publication values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            plan.version,
            plan.audience.name,
            datetime.now(UTC),
            plan.run_id,
            _data_up_to(connection) if has_metrics else None,
            current.version if current else None,
            plan.reason,
            len(plan.tables),
            sum(rows.values()),
            plan.checks.passed,
            plan.checks.failed,
            plan.checks.warned,
            json.dumps(plan.fingerprint),
        ],
    )
    summaries.write_dictionary(connection, plan.tables)


def _data_up_to(connection: duckdb.DuckDBPyConnection) -> date | None:
    return connection.execute("select max(business_date) from core.fct_sales_line").fetchone()[0]


def _explain(error: duckdb.Error | OSError) -> str:
    text = str(error).splitlines()[0]
    if "No space left" in text or "File too large" in text:
        return f"the disk is full: {text}"
    return text
