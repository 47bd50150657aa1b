"""Where backups lie and what their parts are called.

Belongs here: names, paths, folders that are not finished. Does not: what is in them.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from dagster_project.core.backup.errors import BackupError
from dagster_project.core.home import Home

DATABASE = "warehouse.duckdb"
MANIFEST = "manifest.json"
KEY = "key.json"
ORIGINALS = "store"
PRIVATE = "private"
CHECKS = "checks"
SETTINGS = "settings.yaml"
UNFINISHED = ".unfinished-"
NAME = "%Y%m%dT%H%M%S%fZ"  # UTC; sorts by time


def new_name() -> str:
    """A name that says when: sorts behind all earlier ones."""
    return datetime.now(UTC).strftime(NAME)


def taken_at(name: str) -> datetime:
    """When a backup of that name was begun."""
    return datetime.strptime(name, NAME).replace(tzinfo=UTC)


def kept_backups(home: Home) -> list[str]:
    """Names of the finished backups, oldest first."""
    if not home.backups.is_dir():
        return []
    return sorted(path.name for path in home.backups.iterdir() if (path / MANIFEST).exists())


def find_backup(home: Home, chosen: str) -> Path:
    """The folder of a backup by its name, ``newest``, or the path of a folder kept elsewhere.

    Raises BackupError with the names there are.
    """
    kept = kept_backups(home)
    if chosen == "newest" and kept:
        return home.backups / kept[-1]
    for folder in (home.backups / chosen, Path(chosen)):
        if (folder / MANIFEST).exists():
            return folder.resolve()
    known = ", ".join(kept[-5:]) or "none; make one with tillhouse backup"
    raise BackupError(f"no backup {chosen}; the last ones are: {known}")


def clear_unfinished(home: Home) -> None:
    """Remove what a killed backup or removal left."""
    for path in home.backups.glob(f"{UNFINISHED}*"):
        shutil.rmtree(path)


def remove(folder: Path) -> None:
    """Take a backup away: first its name, so that none is ever seen half removed."""
    going = folder.with_name(f"{UNFINISHED}{folder.name}")
    folder.rename(going)
    shutil.rmtree(going)


def sync(path: Path) -> None:
    """Bring a file, or a folder's names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
