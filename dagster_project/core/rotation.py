"""A new master key for a home: everything that is encrypted, encrypted or wrapped anew.

Belongs here: the order of the steps, and going on after a kill at any of them. Does not: the state
that says which key opens the home (``keys``).

The warehouse is copied through the database into a file under the new key; the originals' own keys
and the backups' are wrapped anew, their bodies stay. Tokens do not change: they come from the
home's first key for ever, which the keyring keeps under the present one. Before the copy takes the
warehouse's place, the old key opens the home and a rotation that was stopped is begun anew; from
that rename on only the new key does, and a rotation that was stopped is finished.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from dagster_project.core import audit_log
from dagster_project.core.backup import layout, originals
from dagster_project.core.backup.copying import Sealed, copy_database
from dagster_project.core.backup.manifest import read_key, write_key
from dagster_project.core.feeds import packs, store
from dagster_project.core.home import Home
from dagster_project.core.keys import (
    KEY_VARIABLE,
    KeyUnavailableError,
    MasterKey,
    Rotation,
    decode_key,
    load_master_key,
    new_master_key,
    next_key_file,
    read_rotation,
    rotated_copy,
    rotation_path,
    save_key_file,
    wrap,
    write_durably,
    write_keyring,
)
from dagster_project.core.warehouse import WriterLock

NEW_KEY_VARIABLE = "TILLHOUSE_NEW_KEY"
REDO = "rotation.redo"
BATCH = 500  # files whose changes are written down together before they are made
# Every point at which a rotation can be stopped: what is on the disk differs from one to the next.
POINTS = (
    "new key kept",
    "journal begun",
    "warehouse copied",
    "journal says copied",
    "warehouse in place",
    "key file in place",
    "keyring written",
    "changes written down",
    "one original rewrapped",
    "changes made",
    "one backup rewrapped",
    "backups rewrapped",
    "redo gone",
    "audit told",
    "journal gone",
)
Reached = Callable[[str], None]


@dataclass(frozen=True)
class RotationOutcome:
    """What was encrypted anew."""

    old_id: str
    new_id: str
    original_files: int
    backups: int


def rotate(
    home: Home,
    lock: WriterLock,
    environ: Mapping[str, str] | None = None,
    *,
    reached: Reached = lambda _: None,
) -> RotationOutcome:
    """Give the home a new master key, or finish a rotation that was stopped.

    A home with a key file gets a random key there; where ``TILLHOUSE_KEY`` holds the key, the new
    one is taken from ``TILLHOUSE_NEW_KEY``. The caller holds the writer's lock and has no
    connection open. Raises KeyUnavailableError, BackupError, LoadError.
    """
    if lock.descriptor < 0:
        raise KeyUnavailableError("the writer's lock is not held")
    environ = dict(os.environ if environ is None else environ)
    rotation = read_rotation(home)
    if rotation is None or not rotation.has_switched:
        old = load_master_key(home, environ)
        rotation, key = _encrypt_anew(home, old, _new_key(home, old, environ), reached)
    else:
        key = _key_behind_the_switch(home, environ)
    return _finish(home, rotation, key, reached)


def _new_key(home: Home, old: MasterKey, environ: Mapping[str, str]) -> MasterKey:
    """The key to change to, with everything of the old one that has to last."""
    given = environ.get(NEW_KEY_VARIABLE)
    if given is None and environ.get(KEY_VARIABLE):
        raise KeyUnavailableError(
            f"the key comes from {KEY_VARIABLE}: put the new one into {NEW_KEY_VARIABLE} "
            "(openssl rand -hex 32 makes one)"
        )
    new = decode_key(given, NEW_KEY_VARIABLE) if given else new_master_key()
    if new.secret == old.secret:
        raise KeyUnavailableError(f"{NEW_KEY_VARIABLE} holds the present key")
    return replace(new, first=old.first or old.secret, retired=old.secret)


def _key_behind_the_switch(home: Home, environ: dict[str, str]) -> MasterKey:
    """The new key, from wherever it was given the first time."""
    if NEW_KEY_VARIABLE in environ and KEY_VARIABLE in environ:
        environ[KEY_VARIABLE] = environ[NEW_KEY_VARIABLE]
    return load_master_key(home, environ)


def _encrypt_anew(
    home: Home, old: MasterKey, new: MasterKey, reached: Reached
) -> tuple[Rotation, MasterKey]:
    """The warehouse under the new key in the old one's place; until then nothing has changed."""
    rotation_path(home).unlink(missing_ok=True)  # of an attempt that was stopped before
    copied = Sealed(rotated_copy(home), new.warehouse_key())
    copied.drop()
    if home.key_file.exists():
        next_key_file(home).unlink(missing_ok=True)
        save_key_file(home, new, next_key_file(home))
    reached("new key kept")
    retired, first = wrap(new, new.retired or b""), wrap(new, new.first or b"")
    rotation = Rotation(old.key_id, new.key_id, first, retired, False, False)
    _write_journal(home, rotation)
    reached("journal begun")
    if home.warehouse.exists():
        copy_database(home, Sealed(home.warehouse, old.warehouse_key()), copied)
    reached("warehouse copied")
    if home.warehouse.exists():
        _write_journal(home, replace(rotation, is_copied=True))
        reached("journal says copied")
        os.replace(copied.path, home.warehouse)
        layout.sync(home.private)
    else:
        _write_journal(home, replace(rotation, is_copied=True))
    reached("warehouse in place")
    return rotation, new


def _write_journal(home: Home, rotation: Rotation) -> None:
    told = asdict(rotation)
    del told["has_switched"]
    write_durably(rotation_path(home), json.dumps(told).encode())


def _finish(home: Home, rotation: Rotation, key: MasterKey, reached: Reached) -> RotationOutcome:
    """Everything but the warehouse; each step finds out by itself what is left of it."""
    if next_key_file(home).exists():
        os.replace(next_key_file(home), home.key_file)
        layout.sync(home.private)
    reached("key file in place")
    write_keyring(home, key)
    reached("keyring written")
    _redo(home, reached)
    folders = [home.backups / name for name in layout.kept_backups(home)]
    files = sum(_rewrap_store(home, Home(root), key, reached) for root in (home.root, *folders))
    for folder in folders:
        own, _ = read_key(folder, key)
        write_key(folder, replace(key, retired=None), own)
        reached("one backup rewrapped")
    reached("backups rewrapped")
    (home.private / REDO).unlink(missing_ok=True)
    reached("redo gone")
    alone = replace(key, retired=None)
    audit_log.record(home, alone, "key", key.key_id, before=rotation.old_id, files=files)
    reached("audit told")
    rotation_path(home).unlink()
    layout.sync(home.private)
    reached("journal gone")
    return RotationOutcome(rotation.old_id, key.key_id, files, len(folders))


def _rewrap_store(home: Home, kept: Home, key: MasterKey, reached: Reached) -> int:
    """Wrap the own key of every original below a store anew; how many files were changed."""
    count = 0
    pending: dict[Path, list[tuple[int, bytes]]] = {}
    for path, changes in _changes(kept, key):
        pending[path] = changes
        if len(pending) == BATCH:
            count += _make(home, pending, reached)
            pending = {}
    return count + (_make(home, pending, reached) if pending else 0)


def _changes(kept: Home, key: MasterKey) -> Iterator[tuple[Path, list[tuple[int, bytes]]]]:
    keys = store.unwrapping_keys(key)
    for name in originals.list_originals(kept):
        path = kept.store / name
        is_pack = path.suffix == ".pack"
        changes = packs.rewrapped(path, keys) if is_pack else store.rewrapped(path, key)
        if changes:
            yield path, changes


def _make(home: Home, pending: Mapping[Path, list[tuple[int, bytes]]], reached: Reached) -> int:
    """Write changes down, then make them: a header that was torn is written once more."""
    told = {
        os.path.relpath(path, home.root): [(place, text.hex()) for place, text in changes]
        for path, changes in pending.items()
    }
    write_durably(home.private / REDO, json.dumps(told).encode())
    reached("changes written down")
    _redo(home, reached)
    reached("changes made")
    return len(pending)


def _redo(home: Home, reached: Reached) -> None:
    """Make the changes that are written down, again where they were made."""
    path = home.private / REDO
    if not path.exists():
        return
    for name, changes in json.loads(path.read_bytes()).items():
        _overwrite(home.root / name, changes)
        reached("one original rewrapped")
    path.unlink()
    layout.sync(path.parent)


def _overwrite(path: Path, changes: list[tuple[int, str]]) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        for place, text in changes:
            os.pwrite(descriptor, bytes.fromhex(text), place)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
