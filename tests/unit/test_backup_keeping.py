"""Looking at what is kept, restores for practice, and what is removed when its days are over."""

from __future__ import annotations

import argparse
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dagster_project.console import keeping
from dagster_project.core.backup import (
    BackupError,
    apply_retention,
    backup,
    kept_backups,
    layout,
    restore_drill,
    verify,
)
from dagster_project.core.declarations import load_templates
from dagster_project.core.feeds.store import original_path
from dagster_project.core.home import TEMPLATES, Home, load_settings
from dagster_project.core.keys import MasterKey, save_key_file
from dagster_project.core.warehouse import Warehouse, WriterLock
from tests.unit.kept_home import contents, fill, rows_of

KEY = MasterKey(b"k" * 32)
NOW = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)


@pytest.fixture
def kept(tmp_path: Path) -> Warehouse:
    """A filled home of which there is one backup."""
    made = Warehouse(Home(tmp_path / "home").create(), KEY)
    made.create()
    save_key_file(made.home, KEY, made.home.key_file)
    fill(made, rows=100)
    back_up(made)
    return made


def back_up(warehouse: Warehouse) -> str:
    with WriterLock(warehouse.home).acquire() as lock:
        return backup(warehouse, lock).backup_id


def bad(warehouse: Warehouse) -> list[str]:
    found = verify(warehouse.home, warehouse.key, every_original=True)
    return [one.what for one in found if not one.is_good]


def aged(home: Home, name: str, days: int) -> str:
    """A copy of a backup that says it is older."""
    older = (NOW - timedelta(days=days)).strftime(layout.NAME)
    shutil.copytree(home.backups / name, home.backups / older)
    return older


def test_a_whole_home_is_found_whole(kept: Warehouse) -> None:
    assert bad(kept) == []


def test_what_is_damaged_is_named(kept: Warehouse) -> None:
    home = kept.home
    original = original_path(home, _sha(contents()[0]))
    original.write_bytes(original.read_bytes()[:-1])  # of the backup too: the same file
    log = home.private / "audit.jsonl"
    log.write_bytes(log.read_bytes().replace(b"till", b"tell"))
    (home.published / "analyst.duckdb").write_bytes(b"no database")

    assert bad(kept) == ["newest backup", "published", "originals", "audit log"]


def test_an_older_log_put_back_with_its_head_is_found_by_the_newest_backup(
    kept: Warehouse,
) -> None:
    files = [kept.home.private / name for name in ("audit.jsonl", "audit.head")]
    before = [path.read_bytes() for path in files]
    back_up(kept)
    back_up(kept)
    for path, content in zip(files, before, strict=True):
        path.write_bytes(content)

    assert bad(kept) == ["audit log"]


def _sha(content: bytes) -> str:
    from hashlib import sha256

    return sha256(content).hexdigest()


def test_a_drill_restores_compares_and_leaves_nothing(kept: Warehouse) -> None:
    before = rows_of(kept)
    with WriterLock(kept.home).acquire():
        found = restore_drill(kept.home, kept.key)

    assert found.backup_id == kept_backups(kept.home)[0]
    assert found.reconciliations["files_in_equal_loaded_rejected_duplicate"] == 0
    assert list(kept.home.scratch.iterdir()) == []
    assert rows_of(kept) == before


def test_a_drill_of_a_damaged_backup_says_what_is_wrong(kept: Warehouse) -> None:
    database = kept.home.backups / kept_backups(kept.home)[0] / "warehouse.duckdb"
    database.write_bytes(database.read_bytes()[:-4096])

    with WriterLock(kept.home).acquire(), pytest.raises(BackupError, match=r"warehouse\.duckdb"):
        restore_drill(kept.home, kept.key)

    assert list(kept.home.scratch.iterdir()) == []


def test_backups_past_their_days_go_but_never_the_newest(kept: Warehouse) -> None:
    (name,) = kept_backups(kept.home)
    ages = {days: aged(kept.home, name, days) for days in (40, 31, 29)}
    shutil.rmtree(kept.home.backups / name)

    removed = retain(kept, NOW).backups

    assert (removed, kept_backups(kept.home)) == (2, [ages[29]])
    assert retain(kept, NOW + timedelta(days=400)).backups == 0


def retain(warehouse: Warehouse, now: datetime):
    templates = load_templates(TEMPLATES)
    with WriterLock(warehouse.home).acquire() as lock:
        return apply_retention(warehouse, lock, load_settings(warehouse.home), templates, now=now)


def test_originals_go_when_their_template_s_days_are_over(kept: Warehouse) -> None:
    days = load_templates(TEMPLATES)["pos_standard"].retention_days
    old, young, packed = (_sha(contents()[place]) for place in (0, 1, 5))
    with kept.connect() as connection:
        for file_id, age in ((old, days + 1), (young, days - 1), (packed, days + 1)):
            connection.execute(
                "insert into ops.file_ledger (file_id, feed, original_name, size_bytes, "
                "arrived_at, template, physical_count, loaded_count, rejected_count, "
                "duplicate_count, status) values (?, 'till', 'a', 1, ?, 'pos_standard', 1, 1, 0, "
                "0, 'loaded')",
                [file_id, NOW - timedelta(days=age)],
            )

    assert retain(kept, NOW).originals == 2
    assert not original_path(kept.home, old).exists()
    assert original_path(kept.home, young).exists()
    assert retain(kept, NOW).originals == 0


def test_logs_and_builds_of_old_runs_go(kept: Warehouse) -> None:
    run = "b3efda47-a1c1-495f-8929-acf20e2afbea"
    history = kept.home.dagster / "history" / "runs"
    history.mkdir(parents=True)
    (history / f"{run}.db").write_bytes(b"old")
    (history / "index.db").write_bytes(b"all")
    (kept.home.dagster / "storage" / run).mkdir(parents=True)
    for number in range(7):
        (kept.home.dbt_target / "builds" / f"2026030{number}").mkdir(parents=True)

    done = retain(kept, datetime.now(UTC) + timedelta(days=91))

    assert (done.logs, done.builds) == (2, 2)
    assert [path.name for path in history.iterdir()] == ["index.db"]


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("backup", {}),
        ("verify", {"all": False}),
        ("restore-drill", {"backup": "newest"}),
        ("restore", {"backup": "newest", "into": None}),
        ("retention", {}),
        ("audit", {"action": "verify"}),
        ("keys", {"action": "rotate"}),
    ],
)
def test_every_command_says_what_it_did(
    kept: Warehouse,
    command: str,
    more: dict[str, object],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TILLHOUSE_KEY", raising=False)
    monkeypatch.setenv("TILLHOUSE_HOME", str(kept.home.root))
    chosen = argparse.Namespace(command=command, home=str(kept.home.root), json=True, **more)

    assert keeping.run(chosen) == 0

    told = capsys.readouterr().out
    assert json.loads(told)
    assert KEY.secret.hex() not in told
