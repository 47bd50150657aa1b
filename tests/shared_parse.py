"""dbt reads its project once for all homes of a run of tests, whichever test is the first.

Belongs here: carrying what dbt made of the project from the first home that needed it to later
ones. Does not: any test of reading the project, which makes its own project.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from dagster_project.core.home import Home
from dagster_project.core.modelling import MANIFEST, PARSE, PARTIAL_PARSE, project_fingerprint

STAMP = "manifest.fingerprint"
MADE = (STAMP, MANIFEST, f"{PARSE}/{PARTIAL_PARSE}")  # below a home's dbt_target


class SharedParse:
    """Homes made so far, and a folder that is filled from the first that has the project read.

    Several processes may share the folder: it is there whole or not at all.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fingerprint = project_fingerprint()
        self._without: list[Home] = []

    def give(self, home: Home) -> None:
        """Spare a new home the reading, if any home before it has had it."""
        if not self._folder.exists():
            self._keep()
        if self._folder.exists():
            shutil.copytree(self._folder, home.dbt_target, dirs_exist_ok=True)
        else:
            self._without.append(home)

    def _keep(self) -> None:
        for home in self._without:
            stamp = home.dbt_target / STAMP
            if stamp.exists() and stamp.read_text("ascii") == self._fingerprint:
                self._take(home)
                return

    def _take(self, home: Home) -> None:
        part = self._folder.with_name(f"{self._folder.name}.{os.getpid()}")
        for name in MADE:
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(home.dbt_target / name, part / name)
        try:
            part.rename(self._folder)
        except OSError:  # another process was first; what it has is the same
            shutil.rmtree(part)
