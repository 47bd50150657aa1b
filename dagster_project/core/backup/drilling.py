"""A restore tried for practice: into a scratch home, judged, thrown away.

Belongs here: what a drill proves. Does not: restoring. Everything a real restore needs is taken
from the backup and the master key alone, nothing from the home it came from.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass

from dagster_project.core import audit_log
from dagster_project.core.backup import layout, originals
from dagster_project.core.backup.content import difference, read_content
from dagster_project.core.backup.errors import BackupError
from dagster_project.core.backup.manifest import read_key, read_manifest
from dagster_project.core.backup.reconciling import reconcile
from dagster_project.core.backup.restoring import RestoreOutcome, restore_into
from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.warehouse import Warehouse

FOLDER = "drill"


@dataclass(frozen=True)
class DrillOutcome:
    """What a drill found; every figure was compared with the one that was kept."""

    backup_id: str
    table_count: int
    rows: int
    original_count: int
    reconciliations: dict[str, int]  # rows that do not reconcile, as in the original
    restore_seconds: float
    seconds: float


def restore_drill(home: Home, key: MasterKey, backup_id: str = "newest") -> DrillOutcome:
    """Restore a backup below the home's scratch folder, compare everything, remove it.

    The caller holds the home's lock. Raises BackupError with what is not as it was.
    """
    begun = time.monotonic()
    folder = layout.find_backup(home, backup_id)
    target = Home(home.scratch / FOLDER)
    shutil.rmtree(target.root, ignore_errors=True)
    try:
        done = restore_into(home, key, str(folder), target)
        found = _judge(target, key, folder.name, home, done)
    finally:
        shutil.rmtree(target.root, ignore_errors=True)
    return DrillOutcome(
        done.backup_id,
        done.table_count,
        done.rows,
        found[0],
        found[1],
        done.seconds,
        time.monotonic() - begun,
    )


def _judge(
    target: Home, key: MasterKey, name: str, home: Home, done: RestoreOutcome
) -> tuple[int, dict[str, int]]:
    folder = layout.find_backup(home, name)
    own, complete = read_key(folder, key)
    manifest = read_manifest(folder, own)
    tests = {path.stem: path for path in (folder / layout.CHECKS).glob("*.sql")}
    with Warehouse(target, complete).connect(read_only=True) as connection:
        found = reconcile(connection, tests)
        told = difference(manifest.content, read_content(connection))
    if told and not done.erasures:  # whoever asked to be erased since then is gone from it
        raise BackupError(f"{name}: the restored warehouse is not the one backed up: {told}")
    for question, rows in manifest.reconciliations.items():
        if found.get(question) != rows and not done.erasures:
            raise BackupError(f"{name}: {question} finds {found.get(question)} rows, not {rows}")
    # An erasure takes originals with it: then those that are left must open.
    names = originals.list_originals(target) if done.erasures else manifest.originals
    count = originals.check_originals(target.root, complete, names)
    if not audit_log.verify(target, complete).is_good:
        raise BackupError(f"{name}: its audit log is not as it was written")
    return count, found
