"""The encrypted warehouse and its writer's lock."""

import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import pytest

from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.warehouse import (
    Warehouse,
    WarehouseBusyError,
    WarehouseError,
    WriterLock,
    ensure_extension,
)

KEY = MasterKey(b"k" * 32)
CANARY = "canary-4b1d-personal-value"


@pytest.fixture
def sealed(tmp_path: Path) -> Warehouse:
    warehouse = Warehouse(Home(tmp_path / "home"), KEY)
    warehouse.create()
    with warehouse.connect() as connection:
        connection.execute("create table raw.note as select ? as note", [CANARY])
    return warehouse


def test_what_is_written_is_read_back(sealed: Warehouse) -> None:
    with sealed.connect(read_only=True) as connection:
        assert connection.execute("select note from raw.note").fetchall() == [(CANARY,)]


def test_no_value_stands_in_the_file_in_the_clear(sealed: Warehouse) -> None:
    with sealed.connect() as connection:
        connection.execute("checkpoint")

    assert CANARY.encode() not in sealed.home.warehouse.read_bytes()


def test_a_wrong_key_is_refused_in_one_line_that_holds_no_key(sealed: Warehouse) -> None:
    wrong = MasterKey(b"w" * 32)

    with (
        pytest.raises(WarehouseError, match="wrong key") as refusal,
        Warehouse(sealed.home, wrong).connect(),
    ):
        pass

    assert "\n" not in str(refusal.value)
    assert wrong.warehouse_key() not in str(refusal.value)


def test_a_file_that_is_no_warehouse_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    with duckdb.connect(str(home.warehouse)) as plain:
        plain.execute("create table t as select 1 as a")

    with (
        pytest.raises(WarehouseError, match=r"cannot be opened|not an encrypted warehouse"),
        Warehouse(home, KEY).connect(),
    ):
        pass


def test_creating_twice_changes_nothing(sealed: Warehouse) -> None:
    sealed.create()

    with sealed.connect(read_only=True) as connection:
        assert connection.execute("select count(*) from raw.note").fetchall() == [(1,)]


def test_a_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    home = Home(tmp_path)

    with WriterLock(home).acquire(), pytest.raises(WarehouseBusyError, match="process"):
        WriterLock(home).acquire()


def test_the_lock_is_free_again_after_its_holder_was_killed(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from dagster_project.core.home import Home
        from dagster_project.core.warehouse import WriterLock
        held = WriterLock(Home(Path(sys.argv[1]))).acquire()
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )

    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)

    assert killed.returncode < 0
    with WriterLock(Home(tmp_path)).acquire(wait_seconds=0) as lock:
        assert lock.descriptor > 0


def test_a_writer_starts_by_removing_what_a_killed_one_left_in_the_clear(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    (home.scratch / "left.csv").write_text("in the clear")

    with WriterLock(home).acquire():
        assert list(home.scratch.iterdir()) == []


def test_operational_counts_that_do_not_add_up_cannot_be_written(sealed: Warehouse) -> None:
    with sealed.connect() as connection, pytest.raises(duckdb.ConstraintException):
        connection.execute(
            "insert into ops.file_ledger (file_id, feed, original_name, size_bytes, arrived_at, "
            "physical_count, loaded_count, rejected_count, duplicate_count, status) "
            "values ('f', 'till', 'a.csv', 1, now(), 10, 8, 1, 0, 'loaded')"
        )


def test_the_homes_of_one_process_share_one_library(tmp_path: Path) -> None:
    first, second = (Home(tmp_path / name).create() for name in ("first", "second"))

    found = [ensure_extension(home) for home in (first, second)]

    # One file of two names is loaded once; a copy for each of two hundred homes ends the process.
    assert found[0] != found[1]
    assert found[0].samefile(found[1])
    assert found[1].with_name(f"{found[1].name}.info").exists()


def test_an_extension_that_was_changed_since_it_was_verified_is_not_loaded(
    sealed: Warehouse, tmp_path: Path
) -> None:
    extension = ensure_extension(sealed.home)
    content = bytearray(extension.read_bytes())
    content[len(content) // 2] ^= 1
    changed = tmp_path / "changed"
    changed.write_bytes(content)
    changed.replace(extension)

    with pytest.raises(duckdb.IOException, match="signature"), sealed.connect():
        pass
    # Refused every time: a refusal verifies nothing.
    with pytest.raises(duckdb.IOException, match="signature"), sealed.connect():
        pass
