"""How a reader opens a published file so that SQL typed into it reaches nothing else.

Belongs here: the one set of settings that the guide, ``tillhouse connection``, exports and the
tests share. Does not: making the file (``publishing``). What a reader can still do is stop his own
connection or ask for more than the machine has.
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

# Given when the connection is made, so that there is no moment before the lock.
READER_SETTINGS: dict[str, bool] = {
    "enable_external_access": False,  # no file, folder, network, attach, copy, extension, secret
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "lock_configuration": True,
}
# Python's own door: a table name may otherwise be a variable of the program around the query.
PYTHON_SETTINGS: dict[str, bool] = {"python_enable_replacements": False, **READER_SETTINGS}


def open_published(path: Path) -> duckdb.DuckDBPyConnection:
    """A published file read-only and locked down; raises duckdb.Error where it is none."""
    return duckdb.connect(path, read_only=True, config=dict(PYTHON_SETTINGS))


def lock_down_sql() -> str:
    """The same settings as statements, for clients that take no configuration; the lock is last."""
    return "\n".join(f"set {name} = {str(on).lower()};" for name, on in READER_SETTINGS.items())


def engine_parameters() -> str:
    """SQLAlchemy's arguments as JSON, as Superset takes them under *Engine parameters*."""
    return json.dumps({"connect_args": {"read_only": True, "config": PYTHON_SETTINGS}})
