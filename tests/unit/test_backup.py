"""Backups: what comes back equals what was there, and a damaged one is never put back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest

from dagster_project.core.audit_log import record
from dagster_project.core.audit_log import verify as verify_log
from dagster_project.core.backup import (
    BackupError,
    backup,
    finish_restore,
    kept_backups,
    restore,
    restore_into,
)
from dagster_project.core.backup.restoring import MARK
from dagster_project.core.feeds.store import check_original, original_path
from dagster_project.core.home import PROJECT, Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.warehouse import Warehouse, WriterLock
from tests.unit.kept_home import contents, fill, rows_of

OTHER = MasterKey(b"o" * 32)


@pytest.fixture
def kept(warehouse: Warehouse) -> Warehouse:
    """A filled home of which there is one backup."""
    fill(warehouse)
    make(warehouse)
    return warehouse


def make(warehouse: Warehouse) -> str:
    with WriterLock(warehouse.home).acquire() as lock:
        return backup(warehouse, lock).backup_id


def put_back(warehouse: Warehouse, backup_id: str = "newest") -> int:
    with WriterLock(warehouse.home).acquire() as lock:
        return restore(warehouse.home, warehouse.key, backup_id, lock).rows


def folder_of(warehouse: Warehouse) -> Path:
    return warehouse.home.backups / kept_backups(warehouse.home)[-1]


def test_a_restored_home_equals_the_one_that_was_backed_up(kept: Warehouse, tmp_path: Path) -> None:
    target = Home(tmp_path / "other").create()

    done = restore_into(kept.home, kept.key, "newest", target)

    assert rows_of(Warehouse(target, kept.key)) == rows_of(kept)
    assert done.rows == sum(
        rows for name, (rows, _) in rows_of(kept).items() if name != "core.sales"
    )
    with Warehouse(target, kept.key).connect() as connection:
        assert connection.execute("select nextval('ops.batch_sequence')").fetchone() == (2,)
        row = connection.execute("select * from ops.batch").fetchone()
        with pytest.raises(duckdb.ConstraintException):
            connection.execute("insert into ops.batch values (?, ?, ?, ?, ?)", row)
        connection.execute("insert into ops.rejects (reject_key, feed, file_id, record_number, "
            "first_line, last_line, record, error_code, message, batch_id) "
            "values (1, 'f', 'x', 1, 1, 1, 'r', 'E', 'm', 1)")  # fmt: skip
        assert connection.execute("select disposition from ops.rejects").fetchone() == ("record",)
    for one in contents():
        check_original(target, kept.key, _sha(one))
    assert verify_log(target, kept.key).line_count == 3  # the key, the load and the restore


def _sha(content: bytes) -> str:
    return sha256(content).hexdigest()


def test_a_restore_in_place_undoes_what_came_after(kept: Warehouse) -> None:
    before = rows_of(kept)
    with kept.connect() as connection:
        connection.execute("delete from core.fct_sales_line where sales_line_key % 2 = 0")
        connection.execute("create table core.later as select 1 as one")
    assert rows_of(kept) != before

    put_back(kept)

    assert rows_of(kept) == before
    log = verify_log(kept.home, kept.key)
    assert (log.is_good, log.line_count) == (True, 4), "the audit log goes on, it is not put back"


def test_a_write_that_stood_only_in_the_log_is_backed_up(kept: Warehouse, tmp_path: Path) -> None:
    log = kept.home.warehouse.with_name("warehouse.duckdb.wal")
    with kept.connect() as connection:
        connection.execute("pragma disable_checkpoint_on_shutdown")
        connection.execute("set checkpoint_threshold = '1GB'")
        connection.execute("insert into core.fct_sales_line values (-1, -1, 5, 'late')")
    assert log.exists()
    make(kept)

    target = Home(tmp_path / "other").create()
    restore_into(kept.home, kept.key, "newest", target)

    with Warehouse(target, kept.key).connect(read_only=True) as connection:
        found = connection.execute("select note from core.fct_sales_line where sales_line_key < 0")
        assert found.fetchall() == [("late",)]


DAMAGES = {
    "a bit of the database": ("warehouse.duckdb", "flip"),
    "the database's end": ("warehouse.duckdb", "cut"),
    "the manifest": ("manifest.json", "flip"),
    "the audit log": ("private/audit.jsonl", "flip"),
    "the key": ("key.json", "cut"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_backup_is_refused_by_name_and_nothing_changes(
    kept: Warehouse, damage: str
) -> None:
    name, how = DAMAGES[damage]
    path = folder_of(kept) / name
    content = bytearray(path.read_bytes())
    if how == "flip":
        content[len(content) // 2] ^= 1
    path.write_bytes(content if how == "flip" else content[: len(content) // 2])
    before = rows_of(kept)

    with pytest.raises(BackupError, match=name.replace(".", r"\.")):
        put_back(kept)

    assert rows_of(kept) == before
    assert [p.name for p in kept.home.private.glob("restore*")] == []


@pytest.mark.parametrize("how", ["flip", "cut", "lose", "exchange"])
def test_a_damaged_original_is_refused_by_name(kept: Warehouse, how: str) -> None:
    first, second = (_sha(one) for one in contents()[:2])
    path = original_path(Home(folder_of(kept)), first)
    content = bytearray(path.read_bytes())
    other = original_path(Home(folder_of(kept)), second).read_bytes()
    path.unlink()  # the store's own file is another name of the same one
    if how == "flip":
        content[-1] ^= 1
    elif how == "cut":
        del content[-1]
    elif how == "exchange":
        content = bytearray(other)
    if how != "lose":
        path.write_bytes(content)

    with pytest.raises(BackupError, match=first):
        put_back(kept)


def test_a_backup_of_another_key_is_refused_with_the_key_it_needs(kept: Warehouse) -> None:
    with WriterLock(kept.home).acquire() as lock, pytest.raises(BackupError) as refusal:
        restore(kept.home, OTHER, "newest", lock)

    assert kept.key.key_id in str(refusal.value)
    assert kept.key.secret.hex() not in str(refusal.value)


def test_a_backup_opens_with_nothing_but_its_key(kept: Warehouse) -> None:
    folder = folder_of(kept)

    assert b"receipt,1" not in b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())
    assert kept.key.secret.hex() not in (folder / "key.json").read_text()
    assert not list(folder.rglob("master.key"))
    with pytest.raises(duckdb.Error), duckdb.connect() as engine:
        engine.execute(f"attach '{folder / 'warehouse.duckdb'}' as stolen (read_only)")


def test_originals_take_no_second_place_and_a_second_backup_shares_them(kept: Warehouse) -> None:
    make(kept)

    first = original_path(kept.home, _sha(contents()[0]))
    assert first.stat().st_nlink == 3


def test_a_folder_that_was_not_finished_is_no_backup_and_is_cleared(kept: Warehouse) -> None:
    left = kept.home.backups / ".unfinished-20200101T000000000000Z"
    left.mkdir()
    (left / "warehouse.duckdb").write_bytes(b"torn")
    assert len(kept_backups(kept.home)) == 1

    make(kept)

    assert not left.exists()
    assert len(kept_backups(kept.home)) == 2


def test_a_restore_that_was_stopped_is_finished_by_the_next_run(kept: Warehouse) -> None:
    mark = kept.home.private / MARK
    mark.write_text(json.dumps({"folder": str(folder_of(kept))}))

    with WriterLock(kept.home).acquire() as lock:
        assert finish_restore(kept, lock) == 0  # no erasure is recorded

    assert not mark.exists()


def test_registers_of_a_backup_come_back_where_there_are_none(
    kept: Warehouse, tmp_path: Path
) -> None:
    (kept.home.private / "shares.jsonl").write_text('{"to":"partner"}\n')
    record(kept.home, kept.key, "share", "partner", rows=1)
    make(kept)
    target = Home(tmp_path / "other").create()
    restore_into(kept.home, kept.key, "newest", target)

    assert (target.private / "shares.jsonl").read_text() == '{"to":"partner"}\n'
    assert not target.key_file.exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from dagster_project.core.backup import restoring
from dagster_project.core.home import PROJECT, Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.warehouse import WriterLock
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(restoring, sys.argv[2], die)
home = Home(Path(sys.argv[1]))
with WriterLock(home).acquire() as lock:
    restoring.restore(home, MasterKey(bytes.fromhex(sys.argv[3])), "newest", lock)
"""


@pytest.mark.parametrize(
    ("killed_in", "is_back"), [("write_durably", False), ("settle", False), ("_erase_again", True)]
)
def test_a_restore_killed_anywhere_leaves_the_old_or_the_new_and_is_finished(
    kept: Warehouse, killed_in: str, is_back: bool
) -> None:
    before = rows_of(kept)
    with kept.connect() as connection:
        connection.execute("pragma disable_checkpoint_on_shutdown")
        connection.execute("create table core.later as select 1 as one")
    lost = original_path(kept.home, _sha(contents()[0]))
    lost.unlink()

    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(kept.home.root), killed_in, kept.key.secret.hex()],
        check=False,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
    )

    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert ("core.later" not in rows_of(kept)) == is_back
    with WriterLock(kept.home).acquire() as lock:
        finish_restore(kept, lock)
    assert lost.exists() == (killed_in != "write_durably"), "nothing was begun before that"
    put_back(kept)
    assert rows_of(kept) == before
    assert lost.exists()
    assert not list(kept.home.private.glob("restore*"))
