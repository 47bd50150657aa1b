"""dbt's part of a refresh: the manifest, the build in a child process, and what came of it.

Belongs here: running dbt and reading its artefacts. Does not: any SQL of the models, nor what
Dagster makes of the results. dbt runs in a child because one process must never hold two DuckDB
engines on the warehouse, and without an orchestrator's adapter because that measured 2.7 times
slower than dbt alone.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.core import dbt_process
from dagster_project.core.home import DBT_PROJECT, PROJECT, Home
from dagster_project.core.keys import KEY_VARIABLE
from dagster_project.core.model_sources import (
    Source,
    changed_sources,
    record_built,
    record_summaries,
    recorded_summaries,
    sources_of,
    summaries,
)
from dagster_project.core.warehouse import Warehouse, WriterLock, home_environment

BUILD = "models"
KEPT_BUILDS = 5  # target folders with compiled SQL and logs; a full one is about 3 MB
GOOD = frozenset({"success", "pass", "warn", "no-op"})
SOURCE_SUFFIXES = frozenset({".sql", ".yml", ".yaml", ".csv", ".md", ".py"})
GENERATED = frozenset({"target", "logs", "dbt_packages"})
UNFINISHED = "unfinished "  # before the fingerprints of a build that has not come to its end
STORED_ONLY = ["--exclude", "config.materialized:view", "--indirect-selection", "cautious"]
BEHIND = "source:{}+"  # a source and all that comes of it, in dbt's words
PARSE = "parse"  # the folder of the manifest's own parse; a build begins with the newest there is
MANIFEST, RESULTS = "manifest.json", "run_results.json"
PARTIAL_PARSE = "partial_parse.msgpack"
NO_TELEMETRY = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
TAIL_LINES = 4  # of dbt's own words, when it ends without results


class ModellingError(Exception):
    """dbt could not run; the message says why in one line."""


@dataclass(frozen=True)
class NodeProgress:
    """One node that dbt has just finished."""

    unique_id: str
    status: str
    seconds: float
    index: int
    total: int


@dataclass(frozen=True)
class NodeResult:
    """How one model, seed or test ended."""

    unique_id: str
    status: str  # success, pass, warn, no-op, error, fail, skipped
    seconds: float
    rows_affected: int | None  # where the adapter says so
    failures: int | None  # failing rows of a test
    message: str | None

    @property
    def is_good(self) -> bool:
        """Whether what depends on this node may go on."""
        return self.status in GOOD


@dataclass(frozen=True)
class BuildOutcome:
    """One dbt build: every node's result, and what the marts now contain."""

    nodes: tuple[NodeResult, ...]
    built_batch_id: int  # every batch up to this one is in the models
    fingerprint: str
    is_full_refresh: bool
    seconds: float
    changed_sources: tuple[str, ...] | None = None  # all that was built from; None: everything was

    @property
    def failed(self) -> tuple[NodeResult, ...]:
        """Nodes that ended badly, the skipped ones behind them left out."""
        return tuple(n for n in self.nodes if not n.is_good and n.status != "skipped")

    @property
    def is_complete(self) -> bool:
        """Whether every node succeeded or merely warned."""
        return all(node.is_good for node in self.nodes)


def project_fingerprint(project: Path = DBT_PROJECT, depends_on: Sequence[str] = ()) -> str:
    """SHA-256 over the dbt project's source files and the versions of what the models read."""
    digest = sha256()
    for path in _source_files(project):
        digest.update(f"{path.relative_to(project).as_posix()}\0".encode())
        digest.update(sha256(path.read_bytes()).digest())
    for version in depends_on:
        digest.update(f"\0{version}".encode())
    return digest.hexdigest()


def _source_files(project: Path) -> list[Path]:
    found: list[Path] = []
    for path in sorted(project.iterdir()):
        if path.name in GENERATED or path.name.startswith("."):
            continue
        inside = path.rglob("*") if path.is_dir() else [path]
        found += [p for p in sorted(inside) if p.is_file() and p.suffix in SOURCE_SUFFIXES]
    return found


def ensure_manifest(home: Home, project: Path = DBT_PROJECT) -> Path:
    """The manifest of the dbt project as it is now, parsed again only when a file changed.

    Works on a fresh clone: needs no key and no warehouse. Raises ModellingError with dbt's words.
    """
    # Not the whole home: the viewer sees nothing private.
    home.dbt_target.mkdir(parents=True, exist_ok=True)
    manifest = home.dbt_target / MANIFEST
    stamp = home.dbt_target / "manifest.fingerprint"
    with _alone(home.dbt_target / "parse.lock"):
        fingerprint = project_fingerprint(project)
        if manifest.exists() and stamp.exists() and stamp.read_text("ascii") == fingerprint:
            return manifest
        target = home.dbt_target / PARSE
        target.mkdir(exist_ok=True)
        environment = _environment(home_environment(home))
        with _running(["parse"], project, target, environment) as process:
            tail = deque((_words(line) for line in process.stdout or ()), maxlen=TAIL_LINES)
        if process.returncode != 0:
            raise ModellingError(f"dbt cannot read its project: {_joined(tail)}")
        _replace(target / MANIFEST, manifest)
        stamp.write_text(fingerprint, "ascii")
    return manifest


def models_are_current(connection: duckdb.DuckDBPyConnection, fingerprint: str) -> bool:
    """Whether the models hold every loaded batch and were built by this very code."""
    state = build_state(connection, BUILD)
    return state == (last_batch_id(connection), fingerprint)


def last_batch_id(connection: duckdb.DuckDBPyConnection) -> int:
    """The newest committed load, 0 before the first."""
    row = connection.execute("select coalesce(max(batch_id), 0) from ops.batch").fetchone()
    return int(row[0]) if row else 0


def build_state(connection: duckdb.DuckDBPyConnection, build: str) -> tuple[int, str] | None:
    """Batch and fingerprint of the last complete build of that name, None before the first."""
    row = connection.execute(
        "select built_batch_id, fingerprint from ops.build_state where build = ?", [build]
    ).fetchone()
    return (int(row[0]), str(row[1])) if row else None


def record_build(
    connection: duckdb.DuckDBPyConnection,
    build: str,
    batch_id: int,
    fingerprint: str,
    sources: Mapping[Source, str] | None = None,
    *,
    nodes: Sequence[NodeResult] = (),
) -> None:
    """Say that a build of that name is complete up to a batch, from which sources, with what."""
    at = datetime.now(UTC)
    connection.execute("begin")
    record_built(connection, [node.unique_id for node in nodes], at)
    if sources is not None:
        record_summaries(connection, sources)
    connection.execute("delete from ops.build_state where build = ?", [build])
    connection.execute(
        "insert into ops.build_state (build, built_batch_id, fingerprint, built_at) "
        "values (?, ?, ?, ?)",
        [build, batch_id, fingerprint, at],
    )
    connection.execute("commit")


def build_models(
    warehouse: Warehouse,
    lock: WriterLock,
    *,
    full_refresh: bool = False,
    on_node: Callable[[NodeProgress], None] | None = None,
    project: Path = DBT_PROJECT,
    depends_on: Sequence[str] = (),
) -> BuildOutcome:
    """Run ``dbt build`` over the warehouse and move the models' watermark if all of it went well.

    Incremental models are rebuilt in full when the code changed since the last complete build.
    After a complete build by this very code only what lies behind sources that changed is built
    and tested again; views, which hold no rows, are left with the tests that read nothing else.
    The caller holds the writer's lock and has no connection open. Failed nodes are in the outcome;
    raises ModellingError only when dbt itself could not run.
    """
    begun = time.monotonic()
    fingerprint = project_fingerprint(project, depends_on)
    with warehouse.connect() as connection:
        batch_id = last_batch_id(connection)
        was_complete = (build_state(connection, BUILD) or (0, ""))[1] == fingerprint
        built_by = _begin(connection, fingerprint)
        full = full_refresh or built_by != {fingerprint}
        others = changed_sources(connection) if was_complete and not full else None
    target = _new_target(warehouse.home)
    nodes: tuple[NodeResult, ...] = ()
    if others != ():
        environment = _environment(warehouse.dbt_environment())
        arguments, descriptors = _arguments(full, others), (lock.descriptor,)
        with _running(arguments, project, target, environment, descriptors) as process:
            tail = _follow(process.stdout or iter(()), on_node)
        nodes = _read_results(target / RESULTS, tail)
    elapsed = time.monotonic() - begun
    outcome = BuildOutcome(nodes, batch_id, fingerprint, full, elapsed, others)
    if outcome.is_complete:
        with warehouse.connect() as connection:
            known = (
                sources_of(_manifest(target)) if others is None else recorded_summaries(connection)
            )
            held = summaries(connection, known)
            record_build(connection, BUILD, batch_id, fingerprint, held, nodes=nodes)
    return outcome


def _arguments(full: bool, others: tuple[str, ...] | None) -> list[str]:
    """dbt's words for a build: of all, or of what lies behind the sources that changed."""
    arguments = ["build", "--exclude-resource-type", "unit_test"]
    if others is not None:
        return [*arguments, "--select", *map(BEHIND.format, others), *STORED_ONLY]
    return [*arguments, "--full-refresh"] if full else arguments


def _manifest(target: Path) -> dict[str, Any]:
    return json.loads((target / MANIFEST).read_bytes())


def _begin(connection: duckdb.DuckDBPyConnection, fingerprint: str) -> set[str]:
    """Mark the models as unfinished, their watermark kept; returns all code that has built them.

    A build that is killed may leave models of its own code beside older ones: until one is
    complete, every attempt is remembered.
    """
    batch_id, before = build_state(connection, BUILD) or (0, "")
    built_by = {*before.removeprefix(UNFINISHED).split(), fingerprint}
    record_build(connection, BUILD, batch_id, UNFINISHED + " ".join(sorted(built_by)))
    return built_by


def _follow(lines: Iterator[str], on_node: Callable[[NodeProgress], None] | None) -> deque[str]:
    """Read dbt's JSON log to its end, telling of each node; returns its last words."""
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    for line in lines:
        event = _event(line)
        tail.append(_words(line))
        progress = _progress(event.get("data", {}))
        if on_node is not None and progress is not None:
            on_node(progress)
    return tail


def _progress(data: Mapping[str, Any]) -> NodeProgress | None:
    """A finished node, if the log line tells of one: only those carry a place and a time."""
    node = data.get("node_info")
    if not node or "execution_time" not in data or "index" not in data:
        return None
    seconds, status = float(data["execution_time"]), str(data.get("status", ""))
    place, total = int(data["index"]), int(data.get("total") or data.get("num_models", 0))
    return NodeProgress(str(node["unique_id"]), status.lower(), seconds, place, total)


def _read_results(path: Path, tail: deque[str]) -> tuple[NodeResult, ...]:
    if not path.exists():
        raise ModellingError(f"dbt ended without results: {_joined(tail)}")
    results = json.loads(path.read_text("utf-8"))["results"]
    return tuple(
        NodeResult(
            unique_id=result["unique_id"],
            status=result["status"],
            seconds=float(result["execution_time"]),
            rows_affected=(result.get("adapter_response") or {}).get("rows_affected"),
            failures=result.get("failures"),
            message=result.get("message"),
        )
        for result in results
    )


@contextmanager
def _running(
    arguments: Sequence[str],
    project: Path,
    target: Path,
    environment: Mapping[str, str],
    descriptors: Sequence[int] = (),
) -> Iterator[subprocess.Popen[str]]:
    """dbt as a child with its JSON log on stdout; killed if the caller leaves early."""
    words = ["--events", str(target / "dbt.log")]
    # A selection's manifest would be the last build's again, to the letter.
    words += ["--results", str(target / RESULTS)] if "--select" in arguments else []
    words += arguments
    words += ["--project-dir", str(project), "--profiles-dir", str(project)]
    words += ["--target-path", str(target), "--log-path", str(target)]
    process = dbt_process.start(words, project, environment, descriptors)
    try:
        yield process
        process.wait()
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without the master key or stray dbt options, plus settings."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name != KEY_VARIABLE and not name.startswith("DBT_")
    }
    return inherited | {"PYTHONPATH": str(PROJECT)} | NO_TELEMETRY | dict(settings)


def _new_target(home: Home) -> Path:
    """A fresh folder for one build's artefacts; the oldest ones go, the parse is carried over."""
    builds = home.dbt_target / "builds"
    builds.mkdir(parents=True, exist_ok=True)
    for old in sorted(builds.iterdir())[: -(KEPT_BUILDS - 1)]:
        shutil.rmtree(old)
    target = builds / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    target.mkdir()
    parsed = [*builds.glob(f"*/{PARTIAL_PARSE}"), *home.dbt_target.glob(f"{PARSE}/{PARTIAL_PARSE}")]
    if parsed:
        newest = max(parsed, key=lambda path: path.stat().st_mtime_ns)
        shutil.copy2(newest, target / PARTIAL_PARSE)
    return target


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Only one process at a time; the user interface starts several that all want the manifest."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _replace(source: Path, target: Path) -> None:
    temporary = target.with_suffix(".tmp")
    shutil.copy2(source, temporary)
    temporary.replace(target)


def _event(line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _words(line: str) -> str:
    """A log line's message up to its traceback, as one line."""
    message = str(_event(line).get("info", {}).get("msg", line)).strip()
    return " ".join(message.partition("\nTraceback")[0].split())


def _joined(tail: deque[str]) -> str:
    return " / ".join(words for words in tail if words) or "it said nothing"
