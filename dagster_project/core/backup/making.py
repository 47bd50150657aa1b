"""Making a backup: the warehouse through the database, and all that lies beside it.

Belongs here: what goes into a backup and in which order. Does not: any part's detail. Nothing is
called a backup before its last byte is on the disk: the folder gets its name by one rename.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.core import audit_log
from dagster_project.core.backup import layout, originals
from dagster_project.core.backup.copying import Sealed, copy_database
from dagster_project.core.backup.errors import BackupError, explained
from dagster_project.core.backup.manifest import (
    Manifest,
    digest_of,
    new_key,
    write_key,
    write_manifest,
)
from dagster_project.core.backup.reconciling import compiled_tests, reconcile
from dagster_project.core.home import Home
from dagster_project.core.modelling import last_batch_id
from dagster_project.core.warehouse import Warehouse, WriterLock

# In ``private/`` and no part of a backup: the warehouse goes through the database, the master key
# must not lie beside what it opens, the rest is made anew.
NOT_KEPT = (
    *("warehouse.", "master.key", "keyring", "scratch", "extensions"),
    *("audit.", "rotation", "restore"),
)
UNFINISHED_SUFFIXES = (".lock", ".new", ".unfinished", ".tmp")


@dataclass(frozen=True)
class BackupOutcome:
    """What a backup holds; ``rows`` counts all tables together."""

    backup_id: str
    path: Path
    table_count: int
    rows: int
    original_count: int
    size_bytes: int  # of what is not shared with the store
    seconds: float


def backup(warehouse: Warehouse, lock: WriterLock) -> BackupOutcome:
    """Back the deployment up under a name that says when.

    The caller holds the writer's lock and has no connection open. Raises BackupError, with nothing
    left behind, where there is no warehouse, the disk is full, or the copy is not what it should
    be; WarehouseError where the key does not fit.
    """
    begun = time.monotonic()
    home = warehouse.home
    if lock.descriptor < 0 or not home.warehouse.exists():
        raise BackupError(f"nothing to back up: {home.root} has no warehouse")
    layout.clear_unfinished(home)
    name = layout.new_name()
    folder = home.backups / f"{layout.UNFINISHED}{name}"
    try:
        folder.mkdir(mode=0o700)
        manifest = _fill(warehouse, folder, name)
        layout.sync(folder)
        folder.rename(home.backups / name)
        layout.sync(home.backups)
    except (OSError, duckdb.Error) as error:
        raise BackupError(explained(error)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    outcome = BackupOutcome(
        name,
        home.backups / name,
        len(manifest.content.tables),
        manifest.content.row_count,
        len(manifest.originals),
        sum(size for size, _ in manifest.files.values()),
        time.monotonic() - begun,
    )
    told = {"tables": outcome.table_count, "rows": outcome.rows, "batch": manifest.last_batch_id}
    audit_log.record(home, warehouse.key, "backup", name, **told)
    return outcome


def _fill(warehouse: Warehouse, folder: Path, name: str) -> Manifest:
    home, own = warehouse.home, new_key()
    write_key(folder, warehouse.key, own)
    names = originals.list_originals(home)
    originals.take_over(home.store, folder / layout.ORIGINALS, names)
    audit_lines = _copy_private(warehouse, folder / layout.PRIVATE)
    if (home.root / layout.SETTINGS).exists():
        shutil.copy2(home.root / layout.SETTINGS, folder / layout.SETTINGS)
    tests = _copy_tests(home, folder / layout.CHECKS)
    content = copy_database(
        home, live(warehouse), Sealed(folder / layout.DATABASE, own.database_key)
    )
    with warehouse.connect(read_only=True) as connection:
        manifest = Manifest(
            backup_id=name,
            made_at=layout.taken_at(name).isoformat(),
            duckdb_version=duckdb.__version__,
            last_batch_id=last_batch_id(connection),
            content=content,
            files=_digests(folder),
            originals=names,
            reconciliations=reconcile(connection, tests),
            audit_lines=audit_lines,
        )
    write_manifest(folder, own, manifest)
    return manifest


def live(warehouse: Warehouse) -> Sealed:
    """The warehouse's own file and key."""
    return Sealed(warehouse.home.warehouse, warehouse.key.warehouse_key())


def _copy_private(warehouse: Warehouse, target: Path) -> int:
    """The registers that lie beside the warehouse; how many lines the audit log has."""
    target.mkdir(mode=0o700)
    for path in sorted(warehouse.home.private.iterdir()):
        if path.name.startswith(NOT_KEPT) or path.name.endswith(UNFINISHED_SUFFIXES):
            continue
        if path.is_dir():
            shutil.copytree(path, target / path.name)
        else:
            shutil.copy2(path, target / path.name)
    return audit_log.copy_log(warehouse.home, target)


def _copy_tests(home: Home, target: Path) -> Mapping[str, Path]:
    target.mkdir(mode=0o700)
    return {
        name: Path(shutil.copy2(path, target / f"{name}.sql"))
        for name, path in compiled_tests(home).items()
    }


def _digests(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file so far but originals, which prove themselves, and the key's, which changes."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and name.parts[0] not in {layout.ORIGINALS, layout.KEY}:
            layout.sync(path)
            found[name.as_posix()] = digest_of(path)
    return found
