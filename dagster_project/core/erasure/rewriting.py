"""The warehouse written anew: a deleted row stays in its block until something overwrites it.

Belongs here: copying what is left into a new encrypted file and putting that in the old one's
place by one rename. Does not: deleting. A kill leaves the old file or the new one, both complete.
"""

from __future__ import annotations

import os

import duckdb

from dagster_project.core.suppression.register import sync_folder
from dagster_project.core.warehouse import CATALOG, Warehouse, WarehouseError, attach, open_engine

NEW = "rewritten"


def rewrite_warehouse(warehouse: Warehouse) -> tuple[int, int]:
    """Copy every table, view and sequence into a new file; sizes before and after in bytes.

    The caller holds the writer's lock and no connection. Raises WarehouseError when the disk does
    not take the copy; the old file is then untouched.
    """
    home, secret = warehouse.home, warehouse.key.warehouse_key()
    path = home.private / f".{NEW}.duckdb"
    before = home.warehouse.stat().st_size
    _remove(path)
    engine = open_engine(home)
    try:
        attach(engine, home.warehouse, CATALOG, secret, False)
        attach(engine, path, NEW, secret, False)
        engine.execute(f"checkpoint {CATALOG}")
        engine.execute(f"copy from database {CATALOG} to {NEW}")
        engine.execute(f"checkpoint {NEW}")
    except duckdb.Error as error:
        engine.close()
        _remove(path)
        told = str(error).splitlines()[0]
        raise WarehouseError(f"{home.warehouse} was not written anew: {told}") from None
    engine.close()
    _sync(path)
    # A log beside the old file would be replayed into the new one.
    home.warehouse.with_name(f"{home.warehouse.name}.wal").unlink(missing_ok=True)
    os.replace(path, home.warehouse)
    sync_folder(home.private)
    return before, home.warehouse.stat().st_size


def _remove(path: os.PathLike[str]) -> None:
    for one in (os.fspath(path), f"{os.fspath(path)}.wal"):
        if os.path.exists(one):
            os.unlink(one)


def _sync(path: os.PathLike[str]) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
