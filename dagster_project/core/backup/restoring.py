"""Putting a backup back: verified first, beside what is there, in place by one rename.

Belongs here: the order of the steps. Does not: any step's detail. Registers are never replaced by
older ones: the audit log of the home goes on, the register of erasures takes up what the backup's
holds, and every erasure is carried out once more on what came back.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from dagster_project.core import audit_log
from dagster_project.core.backup import layout, originals
from dagster_project.core.backup.copying import Sealed, copy_database, settle
from dagster_project.core.backup.errors import BackupError, explained
from dagster_project.core.backup.making import live
from dagster_project.core.backup.manifest import Manifest, OwnKey, check_files, read_key
from dagster_project.core.backup.manifest import read_manifest as read_sealed
from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey, write_durably, write_keyring
from dagster_project.core.warehouse import Warehouse, WarehouseError, WriterLock

REGISTER = "erasures.jsonl"
WAITING = "restored.duckdb"
MARK = "restore.json"  # a backup was put back and not every erasure was carried out on it yet


@dataclass(frozen=True)
class RestoreOutcome:
    """What came back; ``erasures`` were carried out once more."""

    backup_id: str
    home: Path
    table_count: int
    rows: int
    originals_back: int
    erasures: int
    seconds: float


def restore(
    home: Home, key: MasterKey, backup_id: str, lock: WriterLock, *, source: Home | None = None
) -> RestoreOutcome:
    """Put a backup of ``source`` (else of the home itself) into a home, whose lock is held.

    What is there stays until the copy has been compared with the manifest. Raises BackupError,
    naming the file, table or original, when the backup is damaged, foreign, or the disk is full;
    a restore that was stopped is done again from the beginning, or finished by the next run.
    """
    begun = time.monotonic()
    folder = layout.find_backup(source or home, backup_id)
    own, manifest, _ = check_backup(folder, key)
    warehouse = Warehouse(home, key)
    try:
        _put_in_place(warehouse, lock, folder, own, manifest)
        before = originals.list_originals(home)
        erasures = finish_restore(warehouse, lock)
    except OSError as error:
        raise BackupError(explained(error)) from error
    count = len(manifest.originals.keys() - before.keys())
    told = {"rows": manifest.content.row_count, "batch": manifest.last_batch_id}
    audit_log.record(home, key, "restore", folder.name, **told, erasures=erasures)
    return RestoreOutcome(
        folder.name,
        home.root,
        len(manifest.content.tables),
        manifest.content.row_count,
        count,
        erasures,
        time.monotonic() - begun,
    )


def restore_into(source: Home, key: MasterKey, backup_id: str, target: Home) -> RestoreOutcome:
    """Put a backup of ``source`` into a home of its own, with the keyring it needs.

    Erasures that ``source`` recorded since the backup are carried out on it too. The master key is
    not written: it does not belong beside what it opens. Raises BackupError as
    ``restore`` does, and where the home has a warehouse already.
    """
    if target.warehouse.exists():
        raise BackupError(f"{target.root} has a warehouse already; restore into an empty folder")
    _, complete = read_key(layout.find_backup(source, backup_id), key)
    with WriterLock(target).acquire() as lock:
        write_keyring(target, complete)
        _take_erasures(target, complete, source.private / REGISTER)
        return restore(target, complete, backup_id, lock, source=source)


def check_backup(folder: Path, key: MasterKey) -> tuple[OwnKey, Manifest, MasterKey]:
    """Whether a backup is whole: seal, files, every original; raises BackupError."""
    own, complete = read_key(folder, key)
    manifest = read_sealed(folder, own)
    check_files(folder, manifest)
    originals.check_originals(folder, key, manifest.originals, sample=None)
    return own, manifest, complete


def finish_restore(warehouse: Warehouse, lock: WriterLock) -> int:
    """Bring originals and registers back, and carry out every erasure on what came; how many.

    Called by the restore itself, and by the next run after one that was stopped. Nothing where no
    restore is under way, or its backup is gone.
    """
    mark = warehouse.home.private / MARK
    if not mark.exists():
        return 0
    folder = Path(json.loads(mark.read_text("utf-8"))["folder"])
    if folder.exists():
        kept = originals.list_originals(Home(folder))
        originals.take_over(folder / layout.ORIGINALS, warehouse.home.store, kept)
        take_registers(warehouse, folder)
    count = _erase_again(warehouse, lock)
    mark.unlink()
    layout.sync(mark.parent)
    return count


def _take_erasures(home: Home, key: MasterKey, register: Path) -> None:
    """Take up what another register holds and the home's does not."""
    if register.exists():
        from dagster_project.core.erasure import merge

        merge(home, key, register)


def _erase_again(warehouse: Warehouse, lock: WriterLock) -> int:
    if not (warehouse.home.private / REGISTER).exists():
        return 0
    from dagster_project.core.erasure import apply_again

    return apply_again(warehouse, lock)


def _put_in_place(
    warehouse: Warehouse, lock: WriterLock, folder: Path, own: OwnKey, manifest: Manifest
) -> None:
    """The backup's database, encrypted for this home, in the place of the warehouse."""
    home = warehouse.home
    if lock.descriptor < 0:
        raise BackupError("the writer's lock is not held")
    waiting = Sealed(home.private / f"{MARK}.{WAITING}", warehouse.key.warehouse_key())
    stored = Sealed(folder / layout.DATABASE, own.database_key)
    try:
        copy_database(home, stored, waiting, manifest.content)
    except BackupError as error:
        raise BackupError(f"{folder.name} was not put back: {error}") from error
    _mark(home, folder)
    _settle_old(home, live(warehouse))
    os.replace(waiting.path, home.warehouse)
    layout.sync(home.private)


def _settle_old(home: Home, old: Sealed) -> None:
    """No log of the old file may be read as the new one's."""
    if not old.log.exists():
        return
    try:
        settle(home, old)
    except WarehouseError:  # it does not open any more, which may be why it is replaced
        old.log.unlink(missing_ok=True)


def _mark(home: Home, folder: Path) -> None:
    """Say, before anything is replaced, that erasures are to be carried out again."""
    write_durably(home.private / MARK, json.dumps({"folder": str(folder)}).encode())


def take_registers(warehouse: Warehouse, folder: Path) -> None:
    """What lay beside the warehouse, where the home has nothing; of erasures what it has not."""
    home, kept = warehouse.home, folder / layout.PRIVATE
    for path in sorted(kept.rglob("*")):
        target = home.private / path.relative_to(kept)
        if path.is_dir():
            target.mkdir(mode=0o700, exist_ok=True)
        elif not target.exists() and path.name not in {audit_log.LOG, audit_log.HEAD, REGISTER}:
            shutil.copy2(path, target)
    _take_erasures(home, warehouse.key, kept / REGISTER)
    audit_log.take_log(home, kept)
    settings = home.root / layout.SETTINGS
    if (folder / layout.SETTINGS).exists() and not settings.exists():
        shutil.copy2(folder / layout.SETTINGS, settings)
