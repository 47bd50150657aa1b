"""What is removed because its time is over.

Belongs here: the rules and what they removed. Does not: erasing a person (``erasure``). What
is still needed is never too old: the newest backup, the published version, an original with
rejects that wait for a replay is not needed beyond its days either, since the days are a promise.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dagster_project.core import audit_log
from dagster_project.core.backup import layout
from dagster_project.core.declarations import Template
from dagster_project.core.erasure.destroying import destroy_original
from dagster_project.core.home import Home, Settings
from dagster_project.core.modelling import KEPT_BUILDS
from dagster_project.core.publishing.versions import (
    SUFFIX,
    keep_version,
    kept_versions,
    latest_publication,
)
from dagster_project.core.warehouse import Warehouse, WriterLock

RUN = re.compile("[0-9a-f]{8}-[0-9a-f-]{27}")  # a run's id, with which its files begin
# A file's days begin when it arrived; of one delivered twice the later arrival counts.
EXPIRED = """
with kept as (
    select unnest($templates::varchar[]) as template, unnest($days::integer[]) as days
)
select files.file_id
from ops.file_ledger as files
left join kept on files.template = kept.template
group by files.file_id
having max(files.arrived_at + to_days(coalesce(kept.days, $longest::integer))) < $now
"""


@dataclass(frozen=True)
class RetentionOutcome:
    """How many of each kind were removed."""

    backups: int
    originals: int
    versions: int
    builds: int
    logs: int  # of runs
    documents: int


def apply_retention(
    warehouse: Warehouse,
    lock: WriterLock,
    settings: Settings,
    templates: Mapping[str, Template],
    *,
    now: datetime | None = None,
) -> RetentionOutcome:
    """Remove what is past its days; the caller holds the writer's lock and no connection.

    Harmless to stop at any point: the next one goes on.
    """
    if lock.descriptor < 0:
        raise ValueError("the writer's lock is not held")
    home, now = warehouse.home, now or datetime.now(UTC)
    layout.clear_unfinished(home)
    outcome = RetentionOutcome(
        backups=_backups(home, now - timedelta(days=settings.keep_backup_days)),
        originals=_originals(warehouse, templates, now),
        versions=_versions(home),
        builds=_remove(sorted((home.dbt_target / "builds").glob("*"))[:-KEPT_BUILDS]),
        logs=_remove(_older(_run_files(home), now - timedelta(days=settings.keep_run_days))),
        documents=_remove(
            _older(home.data_docs.rglob("*.html"), now - timedelta(days=settings.keep_run_days))
        ),
    )
    told = {name: count for name, count in vars(outcome).items() if count}
    if told:
        audit_log.record(home, warehouse.key, "retention", "home", **told)
    return outcome


def _backups(home: Home, limit: datetime) -> int:
    """All that are older, but never the newest."""
    old = [name for name in layout.kept_backups(home)[:-1] if layout.taken_at(name) < limit]
    for name in old:
        layout.remove(home.backups / name)
    return len(old)


def _originals(warehouse: Warehouse, templates: Mapping[str, Template], now: datetime) -> int:
    """Originals whose template's days are over; a file whose template is unknown has the most."""
    if not warehouse.home.warehouse.exists() or not templates:
        return 0
    days = {name: template.retention_days for name, template in templates.items()}
    with warehouse.connect(read_only=True) as connection:
        rows = connection.execute(
            EXPIRED,
            {
                "templates": list(days),
                "days": list(days.values()),
                "longest": max(days.values()),
                "now": now,
            },
        ).fetchall()
    return sum(destroy_original(warehouse.home, file_id) for (file_id,) in rows)


def _versions(home: Home) -> int:
    """Published versions beyond those that a rollback may go to, for every audience."""
    audiences = [path.stem for path in home.published.glob(f"*{SUFFIX}")]
    before = sum(len(kept_versions(home, audience)) for audience in audiences)
    for audience in audiences:
        if (current := latest_publication(home, audience)) is not None:
            keep_version(home, audience, current.version)
    return before - sum(len(kept_versions(home, audience)) for audience in audiences)


def _run_files(home: Home) -> Iterable[Path]:
    """What the orchestrator keeps of each run: its logs and its own history file."""
    kept = [*(home.dagster / "storage").glob("*"), *(home.dagster / "history/runs").glob("*.db*")]
    return [path for path in kept if RUN.match(path.name)]


def _older(paths: Iterable[Path], limit: datetime) -> list[Path]:
    return [path for path in paths if path.stat().st_mtime < limit.timestamp()]


def _remove(paths: Iterable[Path]) -> int:
    count = 0
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
        count += 1
    return count
