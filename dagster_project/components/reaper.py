"""Runs whose process is gone are marked failed, so that none stands as started for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

PROCESS_TAG = ".dagster/tillhouse-process"  # the prefix keeps it off the list of runs
ARRIVED_TAG = "arrived"  # on runs that files started: the feeds that they are of
# A run tags itself as its first act; one without a tag after this long never came that far.
GRACE = timedelta(minutes=2)
MESSAGE = "the process of this run is gone; run refresh again, it goes on where this one stopped"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def process_stamp(process_id: int) -> str:
    """Names one process for ever: its id, its start time in kernel ticks and the boot."""
    return f"{process_id}/{_started(process_id)}/{_boot()}"


def reap_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark started runs without a process as failed; returns their ids."""
    started = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
    reaped: list[str] = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=started)):
        run = record.dagster_run
        stamp = run.tags.get(PROCESS_TAG)
        lost = datetime.now(UTC) - record.create_timestamp.astimezone(UTC) > GRACE
        if (stamp is None and lost) or (stamp is not None and not _is_alive(stamp)):
            instance.report_run_failed(run, MESSAGE)
            reaped.append(run.run_id)
    return reaped


def _is_alive(stamp: str) -> bool:
    process_id = int(stamp.partition("/")[0])
    return process_stamp(process_id) == stamp


def _started(process_id: int) -> str:
    """Field 22 of /proc/PID/stat (proc_pid_stat(5)); empty when there is no such process."""
    try:
        text = Path(f"/proc/{process_id}/stat").read_text("utf-8")
    except FileNotFoundError:
        return ""
    # The command's name, field 2, may hold blanks and parentheses: count from behind it.
    state, *rest = text.rpartition(")")[2].split()
    return "" if state == "Z" else rest[18]


def _boot() -> str:
    return BOOT_ID.read_text("ascii").strip() if BOOT_ID.exists() else ""
