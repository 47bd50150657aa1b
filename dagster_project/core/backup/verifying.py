"""Whether what is kept can still be read: warehouse, backup, publications, originals, audit log.

Belongs here: the questions and their answers in words. Does not: putting anything right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb

from dagster_project.core import audit_log
from dagster_project.core.backup import layout, originals
from dagster_project.core.backup.content import read_content
from dagster_project.core.backup.errors import BackupError
from dagster_project.core.backup.manifest import check_files, read_key, read_manifest
from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.publishing import PublicationError
from dagster_project.core.publishing.versions import SUFFIX, read_publication
from dagster_project.core.warehouse import Warehouse, WarehouseError


@dataclass(frozen=True)
class Answer:
    """One thing that was looked at."""

    what: str
    is_good: bool
    said: str


def verify(home: Home, key: MasterKey, *, every_original: bool = False) -> tuple[Answer, ...]:
    """Look at everything; the caller sees to it that nobody writes meanwhile."""
    asked: dict[str, Callable[[], str]] = {
        "warehouse": lambda: _warehouse(home, key),
        "newest backup": lambda: _newest_backup(home, key, every_original),
        "published": lambda: _published(home),
        "originals": lambda: _originals(home, key, every_original),
        "audit log": lambda: _audit_log(home, key),
    }
    return tuple(_answer(what, ask) for what, ask in asked.items())


def _answer(what: str, ask: Callable[[], str]) -> Answer:
    try:
        return Answer(what, True, ask())
    except (BackupError, WarehouseError, PublicationError, duckdb.Error, OSError) as error:
        return Answer(what, False, " ".join(str(error).split()))


def _warehouse(home: Home, key: MasterKey) -> str:
    """Reads every row, so every block's authentication is checked."""
    if not home.warehouse.exists():
        return "there is none yet"
    with Warehouse(home, key).connect(read_only=True) as connection:
        content = read_content(connection)
    return f"{len(content.tables)} tables, {content.row_count:,} rows"


def _newest_backup(home: Home, key: MasterKey, every_original: bool) -> str:
    names = layout.kept_backups(home)
    if not names:
        return "there is none yet; make one with tillhouse backup"
    folder = home.backups / names[-1]
    own, _ = read_key(folder, key)
    manifest = read_manifest(folder, own)
    check_files(folder, manifest)
    sample = None if every_original else originals.SAMPLE
    count = originals.check_originals(folder, key, manifest.originals, sample=sample)
    return f"{names[-1]}: {len(manifest.files)} files, {count} originals opened"


def _published(home: Home) -> str:
    found = [
        read_publication(path, path.stem) for path in sorted(home.published.glob(f"*{SUFFIX}"))
    ]
    return ", ".join(f"{one.audience} {one.version}" for one in found) or "nothing yet"


def _originals(home: Home, key: MasterKey, every_original: bool) -> str:
    names = originals.list_originals(home)
    sample = None if every_original else originals.SAMPLE
    count = originals.check_originals(home.root, key, names, sample=sample)
    return f"{len(names)} files, {count} originals opened"


def _audit_log(home: Home, key: MasterKey) -> str:
    """The log by itself, and that it begins with the one of the newest backup.

    The second finds an older log that was put back together with its older head.
    """
    verdict = audit_log.verify(home, key)
    if verdict.bad:
        first = verdict.bad[0]
        raise BackupError(f"line {first.line} {first.why}; see tillhouse audit verify")
    for name in layout.kept_backups(home)[-1:]:
        copied = home.backups / name / layout.PRIVATE / audit_log.LOG
        log = home.private / audit_log.LOG
        if copied.exists() and not (
            log.exists() and log.read_bytes().startswith(copied.read_bytes())
        ):
            raise BackupError(f"is not the one of which backup {name} holds the beginning")
    return f"{verdict.line_count:,} lines"
