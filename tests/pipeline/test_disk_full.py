"""A disk that is full at six places: readers keep what they had, and the next run goes on.

The home lies on a small file system of its own in memory, which a balloon fills up.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from small_warehouse import SmallWarehouse
from two_retailers import deliver_two_retailers

from dagster_project.core.audit_log import verify as verify_log
from dagster_project.core.backup import BackupError, backup, kept_backups, restore
from dagster_project.core.declarations import Feed
from dagster_project.core.feeds import LoadError, load_feed
from dagster_project.core.feeds.store import Original, Sealer
from dagster_project.core.modelling import ModellingError, build_models, ensure_manifest
from dagster_project.core.publishing import PublicationError, publish, published_path
from dagster_project.core.warehouse import WriterLock
from tests.pipeline.till_lines import HEADER, LINES

DISK = "1g"  # a built home with its extension, three builds and a backup takes half of it
LEFT_BYTES = 1 << 20
AUDIENCE = "analyst"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system needs root"),
]


class Disk:
    """A file system whose space can be taken and given back."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._balloon = root / "balloon"

    @contextmanager
    def full(self, left_bytes: int = LEFT_BYTES) -> Iterator[None]:
        """Leave so many bytes and no more."""
        space = os.statvfs(self.root)
        free = space.f_bavail * space.f_frsize
        with self._balloon.open("wb") as out:
            os.posix_fallocate(out.fileno(), 0, free - left_bytes)
        try:
            yield
        finally:
            self._balloon.unlink()


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    root = tmp_path_factory.mktemp("disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", root],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield Disk(root)
    finally:
        subprocess.run(["umount", "--lazy", root], check=True)


@pytest.fixture(scope="module")
def small(disk: Disk) -> SmallWarehouse:
    """Two retailers' rows, built and published once."""
    made = SmallWarehouse(disk.root)
    deliver_two_retailers(made)
    build(made)
    assert put_out(made) == 1
    return made


def build(small: SmallWarehouse) -> bool:
    with WriterLock(small.home).acquire() as lock:
        return build_models(small.warehouse, lock, full_refresh=True).is_complete


def put_out(small: SmallWarehouse) -> int:
    with WriterLock(small.home).acquire():
        manifest = ensure_manifest(small.home)
        return publish(small.warehouse, AUDIENCE, manifest, run_id="test").version


def back_up(small: SmallWarehouse) -> str:
    with WriterLock(small.home).acquire() as lock:
        return backup(small.warehouse, lock).backup_id


def put_back(small: SmallWarehouse) -> int:
    with WriterLock(small.home).acquire() as lock:
        return restore(small.home, small.warehouse.key, "newest", lock).rows


def served(small: SmallWarehouse) -> tuple[int, int]:
    """What a reader finds: the version, and lines of sale."""
    with duckdb.connect(str(published_path(small.home, AUDIENCE)), read_only=True) as reader:
        (version,) = reader.execute("select max(version) from ops.publication").fetchone()
        (lines,) = reader.execute("select count(*) from core.fct_sales_line").fetchone()
    return version, lines


def state(small: SmallWarehouse) -> list[tuple[Any, ...]]:
    """Rows of what was loaded, and the builds."""
    return small.query(
        "select (select count(*) from raw.pos_standard__line), (select count(*) from "
        "ops.file_ledger), (select count(*) from ops.batch)"
    )


def load(small: SmallWarehouse) -> int:
    return load_feed(small.warehouse, Feed(**LINES), small.templates["pos_standard"]).loaded_count


def fails(small: SmallWarehouse, disk: Disk, act: Callable[[], object], left: int) -> str:
    """Do something on a full disk; its one line. What readers see must stand all the while."""
    before = served(small)
    with disk.full(left):
        with pytest.raises((LoadError, BackupError, PublicationError, ModellingError, OSError)) as (
            refusal
        ):
            act()
        assert served(small) == before
    return str(refusal.value)


def build_must_end(small: SmallWarehouse) -> None:
    """A build whose nodes failed has not ended well, as the refresh sees it."""
    if not build(small):
        raise ModellingError("models failed")


def test_while_the_models_are_built_and_published(small: SmallWarehouse, disk: Disk) -> None:
    with small.warehouse.connect() as connection:
        connection.execute("insert into ops.batch values (1000, 'f', current_timestamp, 1, 0)")
    rows = served(small)[1]

    fails(small, disk, lambda: build_must_end(small), 10 << 20)
    with pytest.raises(PublicationError, match="not been built completely"):
        put_out(small)

    assert build(small)
    assert "disk is full" in fails(small, disk, lambda: put_out(small), LEFT_BYTES)
    assert put_out(small) == 2
    assert served(small) == (2, rows)


def test_while_a_backup_is_made_and_put_back(small: SmallWarehouse, disk: Disk) -> None:
    assert "disk is full" in fails(small, disk, lambda: back_up(small), LEFT_BYTES)
    assert [path.name for path in small.home.backups.iterdir()] == []

    made = back_up(small)
    before = state(small)

    assert "disk is full" in fails(small, disk, lambda: put_back(small), LEFT_BYTES)
    assert state(small) == before
    assert list(small.home.private.glob("restore*")) == []
    assert put_back(small) > 0
    assert state(small) == before
    assert kept_backups(small.home) == [made]
    with WriterLock(small.home).acquire() as lock:
        outcome = build_models(small.warehouse, lock)
    assert outcome.changed_sources == (), "nothing is to be built of what came back"
    assert verify_log(small.home, small.warehouse.key).is_good


def test_while_originals_are_sealed(small: SmallWarehouse, disk: Disk) -> None:
    content = random.Random(1).randbytes(4 << 20)
    given = small.home.root / "given"
    given.write_bytes(content)
    original = Original("ab" * 32, str(given), None)

    def seal() -> None:
        sealer = Sealer(small.home, small.warehouse.key)
        try:
            sealer.keep([original])
        finally:
            sealer.close()

    assert "No space left" in fails(small, disk, seal, LEFT_BYTES)
    assert list(small.home.store.glob(".sealing-*")) == []
    seal()
    assert [path.stem for path in small.home.store.glob("ab/*.enc")] == ["ab" * 32]


def test_while_a_feed_is_loaded(small: SmallWarehouse, disk: Disk) -> None:
    chance = random.Random(2)
    lines = [
        f"R{i},1,sku {chance.randrange(10**12)},1,{chance.randrange(1, 9999) / 100:.2f},"
        "2017-03-01 10:00:00\n"
        for i in range(60_000)
    ]
    landing = small.home.landing / LINES["feed"]
    landing.mkdir(exist_ok=True)
    (landing / "day.csv").write_text(HEADER + "".join(lines), "utf-8")
    before = state(small)

    fails(small, disk, lambda: load(small), LEFT_BYTES)

    assert state(small) == before
    assert load(small) == len(lines)
    assert load(small) == 0
