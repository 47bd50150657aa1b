"""dbt as a child that dies with the process that started it, and that says little.

Belongs here: nothing but the start of that child. ``python -m dagster_project.core.dbt_process
PARENT dbt-arguments…`` is dbt's own command line; with ``--events FILE`` after PARENT the events
from level info up are written to stdout, one JSON object a line as dbt would write them, and in
words to FILE. dbt's own loggers render every debug event twice before they look at its level, which
took a fifth of a build. With ``--results FILE`` behind that, results are written there and the
manifest, of which a build of a few nodes changes nothing, is not written at all.

The kernel kills the child when its parent is gone, so that no half-forgotten build goes on writing
after a refresh was killed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbt_common.events.base_types import EventMsg

PR_SET_PDEATHSIG = 1  # linux/prctl.h
TOLD = frozenset({"info", "warn", "error"})
COULD_NOT = 2


def die_with(parent: int) -> None:
    """Have the kernel kill this process when ``parent`` ends; exit if it has ended already."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit(f"process {parent} ended before dbt began")


def start(
    arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], descriptors: Sequence[int]
) -> subprocess.Popen[str]:
    """This module's command line in a child, all its words on one pipe."""
    return subprocess.Popen(
        [sys.executable, "-m", __name__, str(os.getpid()), *arguments],
        cwd=cwd,
        env=dict(environment),
        pass_fds=tuple(descriptors),
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def run_quietly(log: Path, results: Path | None, arguments: list[str]) -> int:
    """Run dbt with its loggers off; returns its exit code: 0 good, 1 some node failed, 2 could not.

    Values of secret variables are struck out of what is written, as dbt's loggers do.
    """
    from dbt.cli.main import dbtRunner
    from dbt_common.events.functions import env_scrubber, msg_to_json

    with log.open("a", encoding="utf-8") as words:

        def tell(event: EventMsg) -> None:
            if event.info.level in TOLD:
                sys.stdout.write(f"{env_scrubber(msg_to_json(event))}\n")
                sys.stdout.flush()
                at = event.info.ts.ToDatetime()
                words.write(f"{at:%H:%M:%S} {event.info.level:5} {env_scrubber(event.info.msg)}\n")

        silent = ["--log-level", "none", "--log-level-file", "none"]
        silent += ["--no-write-json"] if results else []
        outcome = dbtRunner(callbacks=[tell]).invoke([*silent, *arguments])
    if outcome.exception is not None:
        return COULD_NOT
    if results is not None and outcome.result is not None:
        outcome.result.write(str(results))
    return 0 if outcome.success else 1


def run(given: list[str]) -> int:
    """Do what the command line behind PARENT says; returns dbt's exit code."""
    if given[:1] == ["--events"]:
        log, given = Path(given[1]), given[2:]
        results = None
        if given[:1] == ["--results"]:
            results, given = Path(given[1]), given[2:]
        return run_quietly(log, results, given)
    from dbt.cli.main import cli

    cli(given)
    return 0


if __name__ == "__main__":
    parent, *words = sys.argv[1:]
    if sys.platform == "linux":
        die_with(int(parent))
    sys.exit(run(words))
