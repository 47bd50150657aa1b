"""The landing store's originals in a backup: listed, linked, proved.

Belongs here: which files of a store are originals, and whether each still opens. Does not: their
form (``feeds.store``, ``feeds.packs``). An original never changes once it is kept, so a backup
takes a second name of the same file; only on another file system does it take a copy. What that
saves in space it costs in safety: a disk that loses the one has lost the other, so backups belong
on another disk or are carried away.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from dagster_project.core.backup.errors import BackupError
from dagster_project.core.backup.layout import sync
from dagster_project.core.feeds import packs, store
from dagster_project.core.feeds.errors import LoadError
from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey

KINDS = ("[0-9a-f][0-9a-f]/*.enc", f"{packs.FOLDER}/*.pack")
SAMPLE = 20


def list_originals(home: Home) -> dict[str, int]:
    """Every kept file of the store, by its path below it, with its bytes."""
    found = [path for kind in KINDS for path in home.store.glob(kind)]
    return {path.relative_to(home.store).as_posix(): path.stat().st_size for path in sorted(found)}


def take_over(source: Path, target: Path, names: Mapping[str, int]) -> int:
    """Give files of one store a second name in another; how many were not there before."""
    count = 0
    for name in names:
        if not (target / name).exists():
            (target / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _link(source / name, target / name)
            count += 1
    if count:
        for folder in {(target / name).parent for name in names}:
            sync(folder)
    return count


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one that knows no second names
        waiting = target.with_name(f".sealing-{target.name}")
        shutil.copy2(source, waiting)
        sync(waiting)
        waiting.replace(target)


def check_originals(
    root: Path, key: MasterKey, names: Mapping[str, int], *, sample: int | None = SAMPLE
) -> int:
    """Open originals of the store below ``root``, a sample or (None) all; how many were opened.

    Raises BackupError naming the first that is missing, cut short, or does not open.
    """
    home = Home(root)
    for name, size in names.items():
        path = home.store / name
        if not path.exists() or path.stat().st_size != size:
            problem = "has another size" if path.exists() else "is missing"
            raise BackupError(f"{root.name}: the original {name} in the store {problem}")
    chosen = list(names)
    if sample is not None and len(chosen) > sample:
        chosen = random.sample(chosen, sample)
    try:
        return sum(_check(home, key, name) for name in chosen)
    except LoadError as error:
        raise BackupError(f"{root.name}: {error}") from error


def _check(home: Home, key: MasterKey, name: str) -> int:
    path = home.store / name
    if path.suffix == ".enc":
        store.check_original(home, key, path.stem)
        return 1
    kept = list(packs.entries(path))
    for one in kept:
        if sha256(one.opened(store.unwrapping_keys(key))).hexdigest() != one.file_id:
            raise LoadError(f"the original {one.file_id} in the store is another file")
    return len(kept)
