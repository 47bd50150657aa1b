"""A refresh in numbers: what came in, what was held back, what was judged and published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dagster_project.console.deployment import check_declarations
from dagster_project.console.running import Check, Failure, JobRun
from dagster_project.core.grading import contact_of_table

DONE, HELD_BACK, COULD_NOT = 0, 1, 2

# Phase as people say it → the steps that make it up.
PHASES = {
    "feeds": "feed__",
    "raw": "raw",
    "calendar": "reference__",
    "identity": "identity",
    "models": "models",
    "checks": "_checks",
    "grades": "store_days",
    "forecast": "forecast",
    "publication": "published__",
    "report": "report__",
}


@dataclass(frozen=True)
class FeedLine:
    """What one feed brought in this run."""

    feed: str
    files: int
    physical: int
    loaded: int
    rejected: int
    duplicate: int
    held_back: tuple[str, ...]  # file and reason
    reject_reasons: Mapping[str, int]


@dataclass(frozen=True)
class Summary:
    """Everything the last screen says, in the order it says it."""

    run_id: str
    exit_code: int
    seconds: float
    feeds: tuple[FeedLine, ...]
    checks: tuple[Check, ...]
    failures: tuple[Failure, ...]
    forecast: Mapping[str, Any]
    publication: Mapping[str, Any]
    report: str | None
    phases: Mapping[str, float]
    alerts: tuple[str, ...] = ()  # stores with poor days: what, which feed, who to phone
    contacts: Mapping[str, str] = field(default_factory=dict)  # of tables whose checks stopped

    @property
    def held_back(self) -> list[str]:
        """Files that were put aside, with feed and reason."""
        return [f"{line.feed}: {told}" for line in self.feeds for told in line.held_back]

    @property
    def failed_checks(self) -> list[Check]:
        """Checks that stopped something."""
        return [c for c in self.checks if not c.has_passed and c.is_blocking]

    @property
    def warned_checks(self) -> list[Check]:
        """Checks that failed and stopped nothing."""
        return [c for c in self.checks if not c.has_passed and not c.is_blocking]


def summarise(run: JobRun) -> Summary:
    """Read a finished run."""
    feeds = tuple(
        _feed_line(key.partition("/")[2], told)
        for key, told in sorted(run.told.items())
        if key.startswith("feed/")
    )
    return Summary(
        run_id=run.run_id,
        exit_code=_exit_code(run, feeds),
        seconds=round(run.seconds, 1),
        feeds=feeds,
        checks=tuple(sorted(run.checks, key=lambda c: (c.table, c.name))),
        failures=tuple(run.failures),
        forecast=_forecast(run),
        publication=run.told.get("published/analyst", {}),
        report=run.told.get("report/overview", {}).get("file"),
        phases=_phases(run),
        alerts=tuple(run.told.get("ops/store_day", {}).get("alerts", ())),
        contacts=_contacts(run),
    )


def _contacts(run: JobRun) -> dict[str, str]:
    """Whom to phone about each table of which a check stopped something."""
    tables = {check.table for check in run.checks if check.is_blocking and not check.has_passed}
    if not tables:
        return {}
    templates, feeds = check_declarations()
    return {
        table: contact_of_table(*table.split("/", 1), feeds, templates) for table in sorted(tables)
    }


def _feed_line(feed: str, told: Mapping[str, Any]) -> FeedLine:
    return FeedLine(
        feed=feed,
        files=told["files"],
        physical=told["physical"],
        loaded=told["loaded"],
        rejected=told["rejected"],
        duplicate=told["duplicate"],
        held_back=tuple(told["held_back"]),
        reject_reasons=told["reject_reasons"],
    )


def _exit_code(run: JobRun, feeds: Sequence[FeedLine]) -> int:
    """1 where a check or a file was held back as the policy says, 2 where the run broke."""
    stopped = any(not c.has_passed and c.is_blocking for c in run.checks)
    stopped = stopped or any(failure.is_held_back for failure in run.failures)
    if not run.has_succeeded:
        return HELD_BACK if stopped else COULD_NOT
    return HELD_BACK if stopped or any(line.held_back for line in feeds) else DONE


def _forecast(run: JobRun) -> dict[str, Any]:
    series = run.told.get("forecast/series", {})
    accuracy = run.told.get("forecast/accuracy", {})
    errors = {k: v for k, v in accuracy.items() if isinstance(v, float)}
    return {"series": series.get("dagster/row_count", 0), **errors} if series else {}


def _phases(run: JobRun) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for step in run.steps:
        phase = _phase(step.name)
        seconds[phase] = round(seconds.get(phase, 0) + step.seconds, 1)
    return {phase: seconds[phase] for phase in PHASES if phase in seconds}


def _phase(step: str) -> str:
    if step.endswith(PHASES["checks"]):
        return "checks"
    return next((p for p, start in PHASES.items() if step.startswith(start)), step)
