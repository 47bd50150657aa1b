"""Run one of Dagster's jobs in this process, tell of its progress, and gather what came of it."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from dagster_project.components.judging import EXPECTATIONS, PASSED, STOPS
from dagster_project.components.reaper import PROCESS_TAG, process_stamp, reap_dead_runs
from dagster_project.components.writer import HELD_BACK
from dagster_project.console.deployment import open_instance
from dagster_project.core.home import Home

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
MODELS = "models"  # fails as a whole when one of its tests of severity error does


@dataclass(frozen=True)
class Step:
    """One step that ended."""

    name: str
    seconds: float
    has_succeeded: bool


@dataclass(frozen=True)
class Failure:
    """Why a step, or the run before its first step, came to nothing."""

    step: str
    reason: str
    is_held_back: bool = False  # the policy stopped it, nothing broke


@dataclass(frozen=True)
class Check:
    """One check that was judged in the run."""

    table: str
    name: str
    has_passed: bool
    is_blocking: bool
    failed_count: int


@dataclass
class JobRun:
    """What a run did, read from its events; ``told`` is each asset's metadata as plain values."""

    run_id: str
    has_succeeded: bool = False
    seconds: float = 0
    steps: list[Step] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """One thing worth telling while a run goes on."""

    step: str
    kind: str  # began, says, ended, failed
    message: str


def run_job(
    home: Home,
    name: str,
    *,
    config: Mapping[str, Any] | None = None,
    on_progress: Callable[[Progress], None],
) -> JobRun:
    """Run a job of the code location to its end; failures are in what is returned."""
    from dagster_project.definitions import definitions

    begun = time.monotonic()
    run = JobRun(str(uuid.uuid4()))
    with open_instance(home) as instance:
        reap_dead_runs(instance)
        on_progress(Progress("start", "began", ""))
        job = definitions().resolve_job_def(name)
        instance.add_event_listener(run.run_id, lambda entry: _listen(entry, on_progress))
        result = job.execute_in_process(
            run_config={**QUIET, **(config or {})},
            instance=instance,
            run_id=run.run_id,
            raise_on_error=False,
            tags={PROCESS_TAG: process_stamp(os.getpid())},
        )
        for event in result.all_events:
            _gather(run, event)
    run.has_succeeded = result.success
    run.seconds = time.monotonic() - begun
    return run


def _listen(entry: dg.EventLogEntry, on_progress: Callable[[Progress], None]) -> None:
    event = entry.dagster_event
    step = entry.step_key or ""
    if event is None:
        on_progress(Progress(step, "says", entry.user_message))
    elif event.event_type == dg.DagsterEventType.STEP_START:
        on_progress(Progress(step, "began", ""))
    elif event.event_type == dg.DagsterEventType.STEP_SUCCESS:
        on_progress(Progress(step, "ended", ""))
    elif event.event_type == dg.DagsterEventType.STEP_FAILURE:
        on_progress(Progress(step, "failed", _reason(event.event_specific_data)))


def _gather(run: JobRun, event: dg.DagsterEvent) -> None:
    kind, step = event.event_type, event.step_key or ""
    if kind == dg.DagsterEventType.STEP_SUCCESS:
        seconds = event.step_success_data.duration_ms / 1000
        run.steps.append(Step(step, seconds, has_succeeded=True))
    elif kind == dg.DagsterEventType.STEP_FAILURE:
        run.steps.append(Step(step, 0, has_succeeded=False))
        run.failures.append(_failure(step, event.event_specific_data))
    elif kind == dg.DagsterEventType.RUN_FAILURE and not run.failures:
        run.failures.append(Failure("", _reason(event.event_specific_data)))
    elif kind == dg.DagsterEventType.ASSET_MATERIALIZATION:
        found = event.materialization
        run.told["/".join(found.asset_key.path)] = {
            name: value.value for name, value in found.metadata.items()
        }
    elif kind == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        run.checks += _checks(step, event.asset_check_evaluation_data)


def _checks(step: str, found: dg.AssetCheckEvaluation) -> list[Check]:
    """The check, or one for each expectation of a suite."""
    listed = found.metadata.get(EXPECTATIONS)
    if listed is None:
        return [_check(step, found)]
    table = "/".join(found.asset_key.path)
    return [
        Check(
            table,
            row.data["expectation"],
            row.data["outcome"] == PASSED,
            row.data["outcome"].startswith(STOPS),
            row.data["failed rows"],
        )
        for row in listed.records
    ]


def _check(step: str, found: dg.AssetCheckEvaluation) -> Check:
    stops = bool(found.blocking) or step == MODELS
    failed = found.metadata.get("failed rows")
    return Check(
        table="/".join(found.asset_key.path),
        name=found.check_name,
        has_passed=found.passed,
        is_blocking=stops and found.severity == dg.AssetCheckSeverity.ERROR,
        failed_count=int(failed.value) if failed else 0,
    )


def _failure(step: str, data: Any) -> Failure:
    told = getattr(getattr(data, "user_failure_data", None), "metadata", None) or {}
    held_back = told.get(HELD_BACK)
    return Failure(step, _reason(data), bool(held_back and held_back.value))


def _reason(data: Any) -> str:
    """One line: what the step said itself, else the error that started it all."""
    described = getattr(getattr(data, "user_failure_data", None), "description", None)
    if described:
        return _line(described)
    error = getattr(data, "error", None)
    if error is None:
        return "no reason was given"
    while error.cause is not None:
        error = error.cause
    # The first paragraph; behind it databases quote their SQL.
    message = error.message.partition(": ")[2].strip() or error.message
    return _line(message.partition("\n\n")[0])


def _line(text: str) -> str:
    return " ".join(text.split())
