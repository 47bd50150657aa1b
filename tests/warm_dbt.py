"""dbt for tests: imported once, by a process that forks for every command.

Belongs here: another way to start what ``dbt_process`` starts. Does not: what dbt is told and how
it ends, which stay the project's own. Its import takes as long as a build of a small project; a
refresh that a test starts as a process of its own, to kill it for one, starts dbt as people do.

    test ── fork server, with dbt imported
                └─ warden, one a command: tells how dbt ended
                       └─ dbt, its words on the test's pipe
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from dagster_project.core import dbt_process
from dagster_project.core.home import PROJECT

MOST_DESCRIPTORS = 16
COMMAND = "import sys; from tests.warm_dbt import serve; sys.exit(serve(*map(int, sys.argv[1:])))"


class WarmDbt:
    """The fork server's side of the test; started with the first command."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(
        self,
        arguments: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        descriptors: Sequence[int],
    ) -> WarmProcess:
        """As ``dbt_process.start``."""
        if self._control is None:
            self._control = self._begin()
        ours, theirs = socket.socketpair()
        words, written = os.pipe()
        with theirs, open(written, "wb") as out, open(os.devnull, "rb") as nothing:
            given = [theirs.fileno(), nothing.fileno(), out.fileno(), *descriptors]
            socket.send_fds(self._control, [b"."], given)
        asked = [list(arguments), str(cwd), dict(environment)]
        channel = ours.makefile("rw", encoding="utf-8")
        ours.close()
        channel.write(f"{json.dumps(asked)}\n")
        channel.flush()
        return WarmProcess(channel, open(words, encoding="utf-8"))

    def _begin(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-c", COMMAND, str(os.getpid()), str(theirs.fileno())],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        return ours

    def end(self) -> None:
        """Let the server go."""
        if self._control is not None and self._server is not None:
            self._control.close()
            self._server.wait()


class WarmProcess:
    """As much of ``subprocess.Popen`` as the callers of ``dbt_process.start`` use."""

    def __init__(self, channel: IO[str], stdout: IO[str]) -> None:
        self.stdout = stdout
        self.returncode: int | None = None
        self._channel = channel
        self._pid = int(channel.readline())

    def wait(self) -> int:
        """Exit code, when it has ended."""
        if self.returncode is None:
            with self._channel:
                self.returncode = int(self._channel.readline())
        return self.returncode

    def kill(self) -> None:
        """End it if it runs; its warden knows that it has ended by ``wait``."""
        if self.returncode is None:
            os.kill(self._pid, signal.SIGKILL)

    def communicate(self) -> tuple[str, None]:
        """All its words; it has ended."""
        with self.stdout:
            words = self.stdout.read()
        self.wait()
        return words, None


def serve(parent: int, descriptor: int) -> int:
    """Fork for every command until the test's end of the control socket is closed."""
    import dbt.cli.main  # noqa: F401  (without its adapter: DuckDB's threads would not be forked)
    from dbt.contracts.project import Configuration, PackageConfig, Project, ProjectFlags

    for contract in (Configuration, PackageConfig, Project, ProjectFlags):
        contract.json_schema()  # which dbt makes of each once a process, and keeps
    dbt_process.die_with(parent)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # wardens are not waited for
    control = socket.socket(fileno=descriptor)
    while True:
        asked, given, _, _ = socket.recv_fds(control, 1, MOST_DESCRIPTORS)
        if not asked:
            return 0
        server = os.getpid()
        if os.fork() == 0:
            control.close()
            return _watched(server, *given)
        for one in given:
            os.close(one)


def _watched(server: int, channel: int, stdin: int, out: int, *descriptors: int) -> int:
    """In the warden: start dbt, and tell its process and how it ended; in dbt: run it."""
    dbt_process.die_with(server)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    warden = os.getpid()
    with socket.socket(fileno=channel) as one, one.makefile("rw", encoding="utf-8") as test:
        arguments, cwd, environment = json.loads(test.readline())
        process = os.fork()
        if process:
            for kept in (stdin, out, *descriptors):
                os.close(kept)  # locks and pipes are dbt's alone
            test.write(f"{process}\n")
            test.flush()
            _, status = os.waitpid(process, 0)
            test.write(f"{os.waitstatus_to_exitcode(status)}\n")
            return 0
    dbt_process.die_with(warden)
    for number, one in enumerate((stdin, out, out)):
        os.dup2(one, number)
    os.close(stdin)
    os.close(out)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = arguments
    return dbt_process.run(arguments)
