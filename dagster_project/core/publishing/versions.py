"""Published files and their versions: names, exposure by one rename, rollback.

Belongs here: what happens to files. Does not: what is in them. Readers only ever see a complete
file, because ``os.replace`` is atomic and a reader that has the old one open keeps its inode.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb

from dagster_project.core.home import Home
from dagster_project.core.publishing.errors import PublicationError

KEPT_VERSIONS = 14
FILE_MODE = 0o640
BUILDING = ".building"
VERSIONS = ".versions"
SUFFIX = ".duckdb"


@dataclass(frozen=True)
class Publication:
    """The version of a published file, as the file itself says."""

    audience: str
    version: int
    published_at: datetime  # UTC
    data_up_to: date | None
    fingerprint: str
    run_id: str
    row_count: int
    passed_check_count: int
    failed_check_count: int
    warned_check_count: int
    path: Path


def published_path(home: Home, audience: str) -> Path:
    """The file that readers of an audience open."""
    return home.published / f"{audience}{SUFFIX}"


def building_path(home: Home, audience: str) -> Path:
    """The temporary file, on the published files' own file system so that it can be renamed."""
    return home.published / BUILDING / f"{audience}{SUFFIX}"


def version_path(home: Home, audience: str, version: int) -> Path:
    """Where a version is kept for rollback."""
    return home.published / VERSIONS / audience / f"{version:06d}{SUFFIX}"


def kept_versions(home: Home, audience: str) -> list[int]:
    """Versions kept for rollback, oldest first."""
    directory = home.published / VERSIONS / audience
    return sorted(int(path.stem) for path in directory.glob(f"[0-9]*{SUFFIX}"))


def clear_building(home: Home) -> None:
    """Remove what a killed publication left and make the directory anew, closed to readers."""
    directory = home.published / BUILDING
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(parents=True, mode=0o700)


@contextmanager
def attached(path: Path, alias: str = "publication") -> Iterator[duckdb.DuckDBPyConnection]:
    """A published file read-only under an alias, in an engine that reaches nothing else."""
    with duckdb.connect() as engine:
        engine.execute("set TimeZone = 'UTC'")
        literal = str(path).replace("'", "''")
        try:
            engine.execute(f"attach '{literal}' as {alias} (read_only)")
        except duckdb.Error as error:
            problem = str(error).splitlines()[0]
            raise PublicationError(f"{path} cannot be read: {problem}") from error
        engine.execute(f"use {alias}")
        engine.execute("set enable_external_access = false")
        yield engine


def latest_publication(home: Home, audience: str) -> Publication | None:
    """What readers of an audience see now; None before the first publication.

    Raises PublicationError when the file is there but is no publication.
    """
    path = published_path(home, audience)
    return read_publication(path, audience) if path.exists() else None


def read_publication(path: Path, audience: str) -> Publication:
    """What a published file says of its own version.

    Raises PublicationError when it is no publication.
    """
    with attached(path) as engine:
        try:
            row = engine.execute(
                """
                select
                    version, published_at, data_up_to, fingerprint, run_id, row_count,
                    passed_check_count, failed_check_count, warned_check_count,
                from ops.publication
                order by version desc
                limit 1
                """
            ).fetchone()
        except duckdb.Error as error:
            raise PublicationError(f"{path} is no publication of this project") from error
    if row is None:
        raise PublicationError(f"{path} names no version")
    return Publication(audience, *row, path)


def expose(home: Home, audience: str, version: int) -> Path:
    """Put the finished temporary file in its place and keep it as a version.

    A crash at any point leaves the old file or the new one, both complete.
    """
    building, target = building_path(home, audience), published_path(home, audience)
    _sync(building)
    building.chmod(FILE_MODE)
    # A log left by somebody who opened the old file for writing would be replayed into the new.
    target.with_name(f"{target.name}.wal").unlink(missing_ok=True)
    os.replace(building, target)
    _sync(home.published)
    keep_version(home, audience, version)
    return target


def keep_version(home: Home, audience: str, version: int) -> None:
    """Link the published file as a version where it is not yet, and drop the oldest ones."""
    kept = version_path(home, audience, version)
    kept.parent.mkdir(parents=True, exist_ok=True)
    if not kept.exists():
        os.link(published_path(home, audience), kept)
    for old in kept_versions(home, audience)[:-KEPT_VERSIONS]:
        version_path(home, audience, old).unlink()


def rollback(home: Home, audience: str) -> Publication:
    """Put the version before the published one in its place, by one rename, and return it.

    Readers keep it until new data is published. Raises PublicationError where there is none.
    """
    current = latest_publication(home, audience)
    if current is None:
        raise PublicationError(f"nothing has been published for {audience} yet")
    keep_version(home, audience, current.version)
    earlier = [v for v in kept_versions(home, audience) if v < current.version]
    if not earlier:
        raise PublicationError(
            f"version {current.version} of {audience} is the oldest that is kept: nothing to go "
            "back to"
        )
    # Not in the building directory: a publication that is running there goes on undisturbed.
    waiting = home.published / f".{audience}.rollback"
    waiting.unlink(missing_ok=True)
    os.link(version_path(home, audience, earlier[-1]), waiting)
    os.replace(waiting, published_path(home, audience))
    _sync(home.published)
    return read_publication(published_path(home, audience), audience)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
