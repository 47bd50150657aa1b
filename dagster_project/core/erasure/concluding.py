"""The last look after an erasure, when the models have been built again, and the certificate.

Belongs here: searching everything that can be read, dropping what was published or written before.
Does not: erasing, building.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dagster_project.core import audit_log
from dagster_project.core.erasure import database
from dagster_project.core.erasure.certificate import FOLDER, Checked, write_certificate
from dagster_project.core.erasure.erasing import Erasure
from dagster_project.core.erasure.finding import Traces
from dagster_project.core.erasure.published import drop_earlier
from dagster_project.core.erasure.sweeping import Left, sweep_files, sweep_tables, text_folders
from dagster_project.core.home import Home
from dagster_project.core.modelling import UNFINISHED, build_state
from dagster_project.core.publishing import versions
from dagster_project.core.warehouse import Warehouse, WriterLock


@dataclass(frozen=True)
class Conclusion:
    """The certificate, and whether nothing more is to be done."""

    checked: Checked
    is_complete: bool
    certificate: Path
    page: Path


def conclude(
    warehouse: Warehouse,
    lock: WriterLock,
    erasure: Erasure,
    backups: Mapping[str, datetime],
) -> Conclusion:
    """Search everything once more and certify it; the caller holds the writer's lock.

    ``backups``: the kept ones with the time each was taken. Before the models are built again the
    certificate says so, and is not complete.
    """
    if lock.descriptor < 0:
        raise ValueError("the writer's lock is not held")
    home, entry = warehouse.home, erasure.entry
    with warehouse.connect(read_only=True) as connection:
        state = build_state(connection, "models")
        is_rebuilt = state is None or not (
            state[1] == database.BUILT_BY or state[1].startswith(UNFINISHED)
        )
        tables = sweep_tables(connection, erasure.traces)
    asked = datetime.fromisoformat(entry.asked_at)
    published = drop_earlier(home, asked)
    tables += _sweep_published(home, erasure.traces)
    searched, dropped, left = _search_files(home, erasure.traces)
    checked = Checked(tuple(tables), searched, dropped, left, published, is_rebuilt, backups)
    path, page, is_complete = write_certificate(home, warehouse.key, erasure, checked)
    audit_log.record(
        home,
        warehouse.key,
        "erase",
        entry.erasure_id,
        step="certified",
        complete=int(is_complete),
        tables=len(tables),
        found=sum(one.found for one in tables),
        files=searched,
        versions_dropped=len(published.dropped),
    )
    return Conclusion(checked, is_complete, path, page)


def _sweep_published(home: Home, traces: Traces) -> list[Left]:
    """The tables of every file that readers open or can be given back."""
    found = []
    for path in sorted(home.published.rglob(f"*{versions.SUFFIX}")):
        if versions.BUILDING not in path.parts:
            name = path.relative_to(home.published).as_posix()
            with versions.attached(path) as engine:
                found += [
                    Left(f"{name}: {one.table}", one.searched_columns, one.found)
                    for one in sweep_tables(engine, traces)
                ]
    return found


def _search_files(home: Home, traces: Traces) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
    """Files searched; pages that were dropped; others that hold something, by their path."""
    pages = (home.reports, home.data_docs, home.dbt_target)
    own = home.reports / FOLDER
    found = [one for one in sweep_files(text_folders(home), traces) if own not in one[0].parents]
    dropped, left = [], []
    for path, count in found:
        if not count:
            continue
        told = path.relative_to(home.root).as_posix()
        if any(folder in path.parents for folder in pages):
            path.unlink()
            dropped.append(told)
        else:
            left.append(told)
    return len(found), tuple(dropped), tuple(left)
