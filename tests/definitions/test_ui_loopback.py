"""The user interface, started as people start it, can be reached from its own machine only."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dagster_project.core.home import PROJECT, Home

pytestmark = pytest.mark.long(minutes=2)

LISTENING = "0A"  # state of a socket in /proc/net/tcp
LOOPBACK = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}
STARTS_WITHIN_SECONDS = 300
LAUNCH = (
    "mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename "
    "... on UnauthorizedError { message } } }"
)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def family(parent: int) -> set[int]:
    """A process and everything it started."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(status.parent.name)] = int(fields[1])
    found = {parent}
    while more := {child for child, above in parents.items() if above in found} - found:
        found |= more
    return found


def listening(processes: set[int]) -> dict[str, str]:
    """Address → port, in hexadecimal as the kernel tells, of every socket they listen on."""
    inodes = set()
    for process in processes:
        try:
            for descriptor in Path(f"/proc/{process}/fd").iterdir():
                target = os.readlink(descriptor)
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
        except FileNotFoundError:
            continue
    found = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and fields[9] in inodes:
                address, _, port = fields[1].partition(":")
                found[address] = port
    return found


def asked(port: int, query: str, **variables: Any) -> Any:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["data"]


@contextmanager
def user_interface(home: Path, *options: str) -> Iterator[tuple[subprocess.Popen, int]]:
    """``tillhouse ui`` until it answers; ended with everything it started."""
    port = free_port()
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("TILLHOUSE", "DAGSTER"))}
    command = [sys.executable, "-m", "dagster_project.cli", "--home", str(home), "ui"]
    with (home.parent / "ui.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), *options],
            cwd=PROJECT,
            env=inherited | {"PYTHONPATH": str(PROJECT)},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        while not _answers(port):
            assert process.poll() is None, (home.parent / "ui.log").read_text()
            assert time.monotonic() < deadline, (home.parent / "ui.log").read_text()
            time.sleep(1)
        yield process, port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5):
            return True
    except OSError:
        return False


@dataclass(frozen=True)
class Shown:
    """One user interface: its port, and where it and everything it started listen."""

    port: int
    listening: dict[str, str]


@pytest.fixture(scope="module", params=[(), ("--read-only",)], ids=["default", "read-only"])
def shown(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Shown]:
    home = Home(tmp_path_factory.mktemp("ui") / "home").create()
    with user_interface(home.root, *request.param) as (process, port):
        time.sleep(5)  # whatever its children open, they have opened by now
        yield Shown(port, listening(family(process.pid)))


def test_the_launcher_never_listens_beyond_loopback(shown: Shown) -> None:
    assert f"{shown.port:04X}" in shown.listening.values()
    assert set(shown.listening) <= LOOPBACK


@pytest.mark.parametrize("shown", [("--read-only",)], ids=["read-only"], indirect=True)
def test_a_viewer_can_start_nothing(shown: Shown) -> None:
    seen = asked(shown.port, "{ canBulkTerminate permissions { permission value } }")
    selector = {
        "repositoryLocationName": "tillhouse",
        "repositoryName": "__repository__",
        "jobName": "refresh",
    }
    launched = asked(shown.port, LAUNCH, p={"selector": selector, "runConfigData": {}})
    granted = {one["permission"] for one in seen["permissions"] if one["value"]}
    assert "launch_pipeline_execution" not in granted
    assert launched["launchRun"]["__typename"] == "UnauthorizedError"
