"""The right to write, held for a whole run, and the open deployment that comes with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from dagster_project.components.reaper import PROCESS_TAG, process_stamp, reap_dead_runs
from dagster_project.core.backup import finish_restore
from dagster_project.core.erasure import finish_erasure
from dagster_project.core.home import Home, Settings, load_settings, locate_home
from dagster_project.core.keys import load_master_key
from dagster_project.core.warehouse import Warehouse, WriterLock

POOL = "writer"  # for the eye and the queue; the kernel's lock is what keeps a second writer out
HELD_BACK = "held back"  # on a step's failure: the policy stopped it, nothing broke


class WriterResource(dg.ConfigurableResource):
    """One deployment opened for writing; the executor is in process, so once per run.

    A second run ends at once with the lock's own message, which names the process that writes.
    """

    wait_seconds: float = 0

    _home: Home = PrivateAttr()
    _settings: Settings = PrivateAttr()
    _warehouse: Warehouse = PrivateAttr()
    _lock: WriterLock = PrivateAttr()

    @property
    def home(self) -> Home:
        """Every path of the deployment."""
        return self._home

    @property
    def settings(self) -> Settings:
        """What the deployment decided once."""
        return self._settings

    @property
    def warehouse(self) -> Warehouse:
        """The private warehouse; connect for one step and close."""
        return self._warehouse

    @property
    def lock(self) -> WriterLock:
        """The writer's lock, held until the run ends."""
        return self._lock

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[WriterResource]:
        """Take the lock, mark the run with this process and reap what died before it."""
        self._home = locate_home()
        self._settings = load_settings(self._home)
        with WriterLock(self._home).acquire(self.wait_seconds) as self._lock:
            self._warehouse = Warehouse(self._home, load_master_key(self._home))
            self._warehouse.create()
            finish_restore(self._warehouse, self._lock)  # of a restore that was stopped
            finish_erasure(self._warehouse, self._lock)
            if context.instance is not None and context.run is not None:
                stamp = {PROCESS_TAG: process_stamp(os.getpid())}
                context.instance.add_run_tags(context.run.run_id, stamp)
                reap_dead_runs(context.instance)
            yield self


def relative(home: Home, path: Path) -> str:
    """A path as it is shown: below the home, so that no machine's own paths are stored."""
    return path.relative_to(home.root).as_posix()
