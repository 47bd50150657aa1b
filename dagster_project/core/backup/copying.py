"""A warehouse copied through the database into a new encrypted file.

Belongs here: the copy and its proof. Does not: whose copy it is. Never a copy of the live file: it
would be torn where a write is under way, and would keep the bytes of deleted rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.core.backup.content import Content, difference, read_content
from dagster_project.core.backup.errors import BackupError, explained
from dagster_project.core.backup.layout import sync
from dagster_project.core.home import Home
from dagster_project.core.warehouse import CATALOG, attach, open_engine

TARGET = "copied"
FILE_MODE = 0o600


@dataclass(frozen=True)
class Sealed:
    """An encrypted database file and the key that opens it."""

    path: Path
    key: str

    @property
    def log(self) -> Path:
        """What was committed and not yet written into the file."""
        return self.path.with_name(f"{self.path.name}.wal")

    def drop(self) -> None:
        """Remove the file and its log."""
        self.path.unlink(missing_ok=True)
        self.log.unlink(missing_ok=True)


def copy_database(
    home: Home, source: Sealed, target: Sealed, expected: Content | None = None
) -> Content:
    """Copy every schema, table, view and sequence, and compare both; what they hold.

    ``expected`` is what the source is known to hold; it is counted where nothing is given.

    Views name the catalogue: both files are read under the same. The target is on the disk when
    this returns and does not exist when it raises. ``home`` lends its engine and scratch folder.
    Raises BackupError, WarehouseError.
    """
    target.drop()
    try:
        settle(home, source)
        if expected is None:
            expected = look_into(home, source)
        _copy(home, source, target)
        found = look_into(home, target)
        if told := difference(expected, found):
            raise BackupError(f"the copy is not what it was made of: {told}")
        sync(target.path)
    except (duckdb.Error, OSError) as error:
        target.drop()
        raise BackupError(explained(error)) from error
    except BackupError:
        target.drop()
        raise
    return expected


def settle(home: Home, sealed: Sealed) -> None:
    """Write what stands in a database's log into its file."""
    if not sealed.log.exists():
        return
    engine = open_engine(home)
    try:
        attach(engine, sealed.path, CATALOG, sealed.key, False)
        engine.execute(f"checkpoint {CATALOG}")
        engine.execute(f"detach {CATALOG}")
    finally:
        engine.close()


def look_into(home: Home, sealed: Sealed) -> Content:
    """What a database file holds, read in an engine of its own."""
    engine = open_engine(home)
    try:
        attach(engine, sealed.path, CATALOG, sealed.key, True)
        engine.execute(f"use {CATALOG}")
        return read_content(engine)
    finally:
        engine.close()


def _copy(home: Home, source: Sealed, target: Sealed) -> None:
    engine = open_engine(home)
    try:
        attach(engine, source.path, CATALOG, source.key, True)
        attach(engine, target.path, TARGET, target.key, False)
        target.path.chmod(FILE_MODE)
        engine.execute(f"copy from database {CATALOG} to {TARGET}")
        engine.execute(f"checkpoint {TARGET}")
        engine.execute(f"detach {TARGET}")
    finally:
        engine.close()
