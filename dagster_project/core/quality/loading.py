"""Suites loaded from their folder: all of them, or all that is wrong with them.

Belongs here: putting together what each file says and what tables there are. Does not: either.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import duckdb

from dagster_project.core.quality import known_columns
from dagster_project.core.quality.known_columns import EmptyTables, Known, wrong_columns
from dagster_project.core.quality.suites import Suite, SuiteError, SuiteFile, read_suites


def load_suites(
    directory: Path, known: Known | None = None, remembered: Path | None = None
) -> list[Suite]:
    """Every ``<schema>/<table>.yaml`` below a directory, by name.

    With ``known`` tables the suites are held against them, and their queries are tried on empty
    ones; of a set of suites that was found sound the file ``remembered`` keeps the fingerprint,
    because trying hundreds of queries takes half a second. Raises SuiteError with a line for each
    mistake of each file: file, line, place, what is wrong.
    """
    files = read_suites(directory)
    if known is not None:
        for file in files:
            if file.table is not None:
                file.tell(wrong_columns(file.table, file.sound, known))
        _try_queries(files, known, remembered)
    if mistakes := [mistake for file in files for mistake in file.mistakes]:
        raise SuiteError(mistakes)
    return [file.suite for file in files if file.suite is not None]


def _try_queries(files: Sequence[SuiteFile], known: Known, remembered: Path | None) -> None:
    fingerprint = _fingerprint(files, known)
    if remembered and remembered.exists() and remembered.read_text("ascii") == fingerprint:
        return
    tables = EmptyTables(known)
    try:
        for file in files:
            if file.table is not None and known.get(file.table):
                file.tell(tables.wrong_queries(file.table, file.sound))
    finally:
        tables.close()
    if remembered and not any(file.mistakes for file in files):
        remembered.write_text(fingerprint, "ascii")


def _fingerprint(files: Sequence[SuiteFile], known: Known) -> str:
    """Changes with the suites, the tables, the engine and the way they are tried."""
    digest = sha256(f"{duckdb.__version__}\0{sorted(known.items())}".encode())
    digest.update(Path(known_columns.__file__).read_bytes())
    for file in files:
        digest.update(f"\0{file.text}".encode())
    return digest.hexdigest()
