"""dbt's command line as a child that dies with the process that started it.

Belongs here: nothing but the start of that child (``python -m dagster_project.core.dbt_process
PARENT dbt-arguments…``). The kernel kills it when its parent is gone, so that no half-forgotten
build goes on writing after a refresh was killed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with(parent: int) -> None:
    """Have the kernel kill this process when ``parent`` ends; exit if it has ended already."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit(f"process {parent} ended before dbt began")


if __name__ == "__main__":
    if sys.platform == "linux":
        die_with(int(sys.argv[1]))
    from dbt.cli.main import cli

    cli(sys.argv[2:])
