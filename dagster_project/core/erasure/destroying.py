"""Originals out of the landing store for good.

Belongs here: the store's files. Does not: which originals (``originals``). A backup has a second
name of the same files, so nothing is overwritten in place: a file of its own loses its name, a
pack is written anew without the original and its key.
"""

from __future__ import annotations

import os
from pathlib import Path

from dagster_project.core.feeds import packs
from dagster_project.core.feeds.store import original_path
from dagster_project.core.home import Home
from dagster_project.core.suppression.register import sync_folder


def destroy_original(home: Home, file_id: str) -> bool:
    """Remove the original wherever the store keeps it; whether it was there."""
    path = original_path(home, file_id)
    is_kept = path.exists()
    if is_kept:
        path.unlink()
        sync_folder(path.parent)
    while found := packs.find(home, file_id):
        _without(found.path, file_id)
        is_kept = True
    return is_kept


def _without(path: Path, file_id: str) -> None:
    """Write a pack without one of its originals; a kill leaves the old one or the new one."""
    kept = [one for one in packs.entries(path) if one.file_id != file_id]
    if not kept:
        path.unlink()
        sync_folder(path.parent)
        return
    unfinished = path.parents[1] / f".sealing-{path.stem}"
    index, place = [], len(packs.MAGIC)
    with path.open("rb") as source, unfinished.open("wb") as out:
        os.fchmod(out.fileno(), packs.FILE_MODE)
        out.write(packs.MAGIC)
        for one in kept:
            source.seek(one.start)
            out.write(source.read(one.size))
            entry = (bytes.fromhex(one.file_id), place, one.size, one.wrapped)
            index.append(packs.ENTRY.pack(*entry))
            place += one.size
        out.writelines(index)
        out.write(packs.FOOTER.pack(len(index), packs.MAGIC))
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)
