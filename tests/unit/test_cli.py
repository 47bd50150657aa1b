"""The command line up to the point where a run would begin."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.cli import COMMANDS, main, parser
from dagster_project.core.home import FEEDS, HOME_VARIABLE, PACKAGE, PROJECT, TEMPLATES, Home
from dagster_project.core.keys import KEY_VARIABLE, load_master_key
from dagster_project.core.warehouse import Warehouse, WriterLock

OTHER_KEY = "5e" * 32


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home of its own; what the commands put into the environment is taken out again."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    return Home(tmp_path / "home")


@pytest.fixture
def loaded(home: Home) -> Warehouse:
    """A warehouse that exists, with one file in its ledger."""
    warehouse = Warehouse(home, load_master_key(home, {}))
    warehouse.create()
    with warehouse.connect() as connection:
        connection.execute(
            "insert into ops.file_ledger (file_id, feed, original_name, size_bytes, arrived_at, "
            "physical_count, loaded_count, rejected_count, duplicate_count, status) values "
            "('a', 'tills', 'one.csv', 9, '2017-01-02 03:04:05+00', 10, 7, 2, 1, 'loaded'), "
            "('b', 'tills', 'two.csv', 9, '2017-01-01 00:00:00+00', 0, 0, 0, 0, 'quarantined')"
        )
    return warehouse


def test_every_command_has_help_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for command, (told, example) in COMMANDS.items():
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        shown = " ".join(capsys.readouterr().out.split())
        assert ended.value.code == 0
        assert " ".join(told.split()) in shown
        assert f"example: {example}" in shown


def test_every_example_is_understood() -> None:
    for _, example in COMMANDS.values():
        assert parser().parse_args(example.split()[1:]).command == example.split()[1]


def test_help_does_not_wait_for_a_database() -> None:
    code = (
        "import sys; from dagster_project.cli import parser; parser(); "
        "print(sorted({'duckdb', 'dagster', 'pydantic', 'rich', 'yaml'} & set(sys.modules)))"
    )
    shown = subprocess.check_output([sys.executable, "-c", code], cwd=PROJECT, text=True)

    assert shown.strip() == "[]"


def test_home_and_json_may_stand_before_or_after_the_command() -> None:
    before = parser().parse_args(["--home", "here", "--json", "status"])
    after = parser().parse_args(["status", "--home", "here", "--json"])

    assert (before.home, before.json) == (after.home, after.json) == ("here", True)
    assert parser().parse_args(["status"]).json is False


def test_a_first_refresh_without_files_is_told_in_one_line(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["refresh"]) == 2

    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("tillhouse: nothing to refresh: no file waits")
    assert not home.warehouse.exists()


def test_a_missing_key_is_told_in_one_line(
    loaded: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded.home.key_file.unlink()

    assert main(["refresh"]) == 2

    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("tillhouse: no key:")


@pytest.mark.parametrize("command", ["refresh", "publish", "status"])
def test_a_wrong_key_is_told_in_one_line_without_the_key(
    loaded: Warehouse,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, OTHER_KEY)

    assert main([command]) == 2

    [line] = capsys.readouterr().err.splitlines()
    assert "wrong key" in line
    assert OTHER_KEY not in line


def test_a_key_that_is_none_is_told_in_one_line(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "secret")
    assert main(["refresh"]) == 2

    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"tillhouse: {KEY_VARIABLE} holds no key")
    assert "'secret'" not in line


def test_a_second_refresh_names_the_one_that_writes(
    loaded: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    import os

    with WriterLock(loaded.home):
        assert main(["refresh"]) == 2

    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"tillhouse: another refresh is writing (process {os.getpid()})")


def test_a_delivery_larger_than_the_disk_is_told_before_anything_is_written(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = home.create().landing / "lantern_rates"
    folder.mkdir()
    with (folder / "rates_2017-01.csv").open("wb") as sparse:
        sparse.truncate(4 << 40)  # four TiB of which no byte is on the disk

    assert main(["refresh"]) == 2

    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("tillhouse: no disk space:")
    assert not home.warehouse.exists()


def test_a_home_that_cannot_be_made_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, "")
    (tmp_path / "file").write_text("no folder")

    assert main(["status", "--home", str(tmp_path / "file" / "home")]) == 2

    [line] = capsys.readouterr().err.splitlines()
    assert "cannot write" in line


def test_an_unknown_template_is_told_with_the_feeds_file(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    declared = tmp_path / FEEDS.relative_to(PROJECT) / "lantern_rates" / "defs.yaml"
    declared.write_text(declared.read_text("utf-8").replace("exchange_rate", "weather"), "utf-8")
    command = [sys.executable, "-m", "dagster_project.cli", "refresh"]

    ended = subprocess.run(
        [*command, "--home", str(tmp_path / "home")], cwd=tmp_path, capture_output=True, text=True,
        check=False, env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip

    [line] = ended.stderr.splitlines()
    known = ", ".join(sorted(path.stem for path in TEMPLATES.glob("*.yaml")))
    assert ended.returncode == 2
    assert line == f"tillhouse: {declared}: unknown template 'weather'; known: {known}"


def test_status_counts_every_file_and_names_the_last_arrival(
    loaded: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["feeds"] == [
        {
            "feed": "tills", "files": 2, "physical": 10, "loaded": 7, "rejected": 2,
            "duplicate": 1, "held_back": 1, "last_arrival": "2017-01-02T03:04:05+00:00",
        }
    ]  # fmt: skip
    assert told["publication"] is None
    assert told["failed_checks"] == []


def test_status_names_checks_that_failed_when_last_judged_and_no_earlier_ones(
    loaded: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    with loaded.connect() as connection:
        connection.execute(
            "insert into ops.check_result (run_id, checked_at, schema_name, table_name, "
            "check_name, kind, severity, is_blocking, has_passed, failed_count, why) values "
            "('1', '2017-01-01', 'raw', 'x', 'mended', 'expectation', 'error', true, false, 9, ''),"
            "('2', '2017-01-02', 'raw', 'x', 'mended', 'expectation', 'error', true, true, 0, ''),"
            "('2', '2017-01-02', 'raw', 'x', 'broken', 'expectation', 'error', true, false, 3, '')"
        )

    assert main(["status", "--json"]) == 0

    [failed] = json.loads(capsys.readouterr().out)["failed_checks"]
    assert failed == {"table": "raw.x", "check": "broken", "is_blocking": True, "failed_count": 3}


def test_status_names_a_store_with_a_poor_day_and_whom_to_phone(
    loaded: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    with loaded.connect() as connection:
        connection.execute(
            "insert into ops.store_day values (7, 'Market 7', '2017-01-02', 'F', 5, 0, 0, 0, "
            "'Store Market 7 has no rows', 'journey_transactions', 0)"
        )

    assert main(["status"]) == 0

    told = " ".join(capsys.readouterr().out.split())
    assert "Market 7: 2017-01-02 is graded F: Store Market 7 has no rows" in told
    assert "(journey_transactions); who to phone: " in told


def test_status_of_an_empty_home_says_so(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 0

    shown = capsys.readouterr().out
    assert "nothing has been loaded yet" in shown
    assert "nothing yet" in shown
    assert not home.warehouse.exists()


def test_feed_list_counts_what_waits(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    folder = home.create().landing / "lantern_rates"
    folder.mkdir()
    (folder / "rates_2017-01.csv").write_text("from_curr,to_curr,day,rate\n")
    (folder / "rates_2017-02.csv.part").write_text("from_curr")

    assert main(["feed", "list", "--json"]) == 0

    told = {row["feed"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(told) == {path.parent.name for path in FEEDS.glob("*/defs.yaml")}
    assert told["lantern_rates"]["waiting"] == 1
    assert told["lantern_stores"]["waiting"] == 0


def test_feed_check_tells_what_a_file_would_do_and_loads_nothing(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rates_2017-01.csv"
    good = [f"CNY,USD,2017-01-{day:02},0.144" for day in range(1, 31)]
    path.write_text("\n".join(["from_curr,to_curr,day,rate", *good, "CNY,USD,soon,0.144", ""]))

    assert main(["feed", "check", "lantern_rates", str(path), "--json"]) == 1

    told = json.loads(capsys.readouterr().out)
    assert (told["physical_count"], told["accepted_count"], told["rejected_count"]) == (31, 30, 1)
    assert told["reject_reasons"] == [["bad_date", 1]]
    assert path.exists()
    assert not home.warehouse.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["feed", "check", "nobody", "x.csv"], "unknown feed 'nobody'; known: journey_"),
        (["feed", "replay", "nobody"], "unknown feed 'nobody'; known: journey_"),
        (["feed", "check", "lantern_rates", "/nowhere/x.csv"], "/nowhere/x.csv is no file"),
        (["publish"], "nothing to publish"),
        (["rollback"], "nothing has been published for analyst yet"),
    ],
    ids=["check-unknown-feed", "replay-unknown-feed", "no-file", "no-warehouse", "no-version"],
)
def test_what_cannot_be_done_is_told_in_one_line(
    home: Home, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2

    [line] = capsys.readouterr().err.splitlines()
    assert told in line
    assert not home.warehouse.exists()
