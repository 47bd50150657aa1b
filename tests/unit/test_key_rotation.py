"""Key rotation: killed anywhere it goes on, one key opens the home, and tokens stay."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from dagster_project.core.audit_log import verify as verify_log
from dagster_project.core.backup import BackupError, backup, kept_backups, originals
from dagster_project.core.backup.restoring import check_backup
from dagster_project.core.feeds.errors import LoadError
from dagster_project.core.home import PROJECT, Home
from dagster_project.core.keys import (
    KEY_VARIABLE,
    KeyUnavailableError,
    MasterKey,
    load_master_key,
    next_key_file,
    rotation_path,
)
from dagster_project.core.rotation import NEW_KEY_VARIABLE, POINTS, REDO, rotate
from dagster_project.core.warehouse import Warehouse, WarehouseError, WriterLock
from tests.unit.kept_home import contents, fill, rows_of

OLD, NEW = MasterKey(sha256(b"old").digest()), MasterKey(sha256(b"new").digest())
GIVEN = {KEY_VARIABLE: OLD.secret.hex(), NEW_KEY_VARIABLE: NEW.secret.hex()}
KILLED = """
import os, signal, sys
from hashlib import sha256
from pathlib import Path
from dagster_project.core.home import Home
from dagster_project.core.rotation import rotate
from dagster_project.core.warehouse import WriterLock
home = Home(Path(sys.argv[1]))
def reached(point):
    if point == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
with WriterLock(home).acquire() as lock:
    rotate(home, lock, reached=reached)
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home under the old key with originals and one backup, made once."""
    home = Home(tmp_path_factory.mktemp("filled")).create()
    made = Warehouse(home, OLD)
    made.create()
    fill(made, rows=100)
    with WriterLock(home).acquire() as lock:
        backup(made, lock)
    return home


@pytest.fixture
def kept(filled: Home, tmp_path: Path) -> Home:
    """A copy of it in which a backup still shares its originals with the store."""
    root = tmp_path / "home"
    subprocess.run(["cp", "-a", filled.root, root], check=True)
    shutil.rmtree(Home(root).extensions)
    shutil.copytree(filled.extensions, Home(root).extensions, copy_function=os.link)
    return Home(root)


def run_again(home: Home) -> MasterKey:
    with WriterLock(home).acquire() as lock:
        rotate(home, lock, GIVEN)
    return load_master_key(home, {KEY_VARIABLE: NEW.secret.hex()})


def opening(home: Home) -> list[str]:
    """Which of the two keys opens the home, by what is loaded and by the warehouse itself."""
    found = []
    for name, key in (("old", OLD), ("new", NEW)):
        try:
            loaded = load_master_key(home, {KEY_VARIABLE: key.secret.hex()})
            rows_of(Warehouse(home, loaded))
            originals.check_originals(home.root, loaded, originals.list_originals(home))
        except (KeyUnavailableError, WarehouseError):
            continue
        found.append(name)
    return found


@pytest.mark.parametrize("point", POINTS)
def test_a_rotation_killed_at_any_point_goes_on(kept: Home, point: str) -> None:
    before = rows_of(Warehouse(kept, OLD))

    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(kept.root), point],
        check=False,
        env=os.environ | GIVEN | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
    )

    assert ended.returncode == -signal.SIGKILL, ended.stderr
    has_ended = POINTS.index(point) >= POINTS.index("warehouse in place")
    assert opening(kept) == (["new"] if has_ended else ["old"])
    if point != "journal gone":
        run_again(kept)
    only_the_new_key_opens(kept, before)


def only_the_new_key_opens(home: Home, before: dict[str, tuple[int, int]]) -> None:
    new = load_master_key(home, {KEY_VARIABLE: NEW.secret.hex()})
    names = originals.list_originals(home)
    folder = home.backups / kept_backups(home)[0]
    assert rows_of(Warehouse(home, new)) == before
    assert originals.check_originals(home.root, new, names, sample=None) == len(contents())
    _, manifest, _ = check_backup(folder, new)
    assert manifest.content.tables["core.fct_sales_line"][0] == 100
    assert new.token("phone", "+44") == OLD.token("phone", "+44")
    assert verify_log(home, new).is_good
    assert opening(home) == ["new"]
    with pytest.raises(WarehouseError, match="wrong key"):
        rows_of(Warehouse(home, OLD))
    for name in names:
        with pytest.raises((LoadError, BackupError)):
            originals.check_originals(home.root, OLD, {name: names[name]})
    with pytest.raises(BackupError, match="opens with the master key"):
        check_backup(folder, OLD)
    left = [rotation_path(home), next_key_file(home), home.private / REDO]
    assert [path.name for path in left if path.exists()] == []
    secrets = (OLD.secret, OLD.secret.hex().encode(), NEW.secret, NEW.secret.hex().encode())
    files = [path for path in home.root.rglob("*") if path.is_file()]
    assert not [path for path in files if any(secret in path.read_bytes() for secret in secrets)]


def test_a_second_rotation_keeps_tokens_and_reads_what_the_first_left(kept: Home) -> None:
    key = run_again(kept)
    third = MasterKey(b"3" * 32)

    with WriterLock(kept).acquire() as lock:
        given = {KEY_VARIABLE: key.secret.hex(), NEW_KEY_VARIABLE: third.secret.hex()}
        done = rotate(kept, lock, given)

    loaded = load_master_key(kept, {KEY_VARIABLE: third.secret.hex()})
    assert (done.old_id, done.new_id) == (NEW.key_id, third.key_id)
    assert loaded.token("phone", "+44") == OLD.token("phone", "+44")
    check_backup(kept.backups / kept_backups(kept)[0], loaded)
    with pytest.raises(KeyUnavailableError, match=third.key_id):
        load_master_key(kept, {KEY_VARIABLE: NEW.secret.hex()})


def test_a_home_with_a_key_file_gets_a_random_key_there(tmp_path: Path) -> None:
    home = Home(tmp_path)
    old = load_master_key(home, {})
    Warehouse(home, old).create()

    with WriterLock(home).acquire() as lock:
        rotate(home, lock, {})

    new = load_master_key(home, {})
    assert new.secret != old.secret
    with Warehouse(home, new).connect(read_only=True) as connection:
        assert connection.execute("select count(*) from ops.batch").fetchone() == (0,)


def test_a_key_from_the_environment_is_not_changed_without_the_next_one(kept: Home) -> None:
    with (
        WriterLock(kept).acquire() as lock,
        pytest.raises(KeyUnavailableError, match=NEW_KEY_VARIABLE),
    ):
        rotate(kept, lock, {KEY_VARIABLE: OLD.secret.hex()})

    assert opening(kept) == ["old"]


def test_rows_written_between_a_stopped_rotation_and_its_end_are_not_lost(kept: Home) -> None:
    def stop(point: str) -> None:
        if point == "journal says copied":
            raise InterruptedError(point)

    with WriterLock(kept).acquire() as lock, pytest.raises(InterruptedError):
        rotate(kept, lock, GIVEN, reached=stop)
    with Warehouse(kept, OLD).connect() as connection:
        connection.execute("insert into core.fct_sales_line values (-7, -7, 1, 'between')")

    with Warehouse(kept, run_again(kept)).connect(read_only=True) as connection:
        found = connection.execute("select note from core.fct_sales_line where sales_line_key < 0")
        assert found.fetchall() == [("between",)]
