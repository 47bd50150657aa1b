"""A whole refresh from the command line, on a small simulated banner in a home of its own.

The refreshes build on each other, as nights do: a first, one with nothing new, one with a file
that is not what its feed says, one whose data a blocking check stops.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from dagster_project.console.deployment import open_instance
from dagster_project.core.home import PROJECT, Home
from dagster_project.core.keys import KEY_VARIABLE, load_master_key
from dagster_project.core.simulation import simulate
from dagster_project.core.warehouse import Warehouse

pytestmark = pytest.mark.slow

SCHEMAS = ("raw", "reference", "identity", "core", "customer", "forecast", "vault")
RATES = "from_curr,to_curr,day,rate\n"


@dataclass(frozen=True)
class Ended:
    """One command that ended, and the state it left behind."""

    code: int
    told: dict[str, Any]
    errors: list[str]  # lines of the error stream that are no progress
    published: str  # SHA-256 of what readers open
    rows: dict[str, tuple[int, int]]  # table → number of rows and a hash of them in any order


def tillhouse(home: Home, *arguments: str, **settings: str) -> Ended:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("TILLHOUSE", "DAGSTER"))}
    ended = subprocess.run(
        [sys.executable, "-m", "dagster_project.cli", *arguments, "--json"],
        check=False,
        cwd=PROJECT,
        env=inherited | {"PYTHONPATH": str(PROJECT), "TILLHOUSE_HOME": str(home.root)} | settings,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in ended.stderr
    errors = [line for line in ended.stderr.splitlines() if line.startswith("tillhouse:")]
    told = json.loads(ended.stdout) if ended.stdout else {}
    return Ended(ended.returncode, told, errors, published_hash(home), row_hashes(home))


def published_hash(home: Home) -> str:
    path = home.published / "analyst.duckdb"
    return sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def row_hashes(home: Home) -> dict[str, tuple[int, int]]:
    if not home.key_file.exists():
        return {}
    with Warehouse(home, load_master_key(home, {})).connect(read_only=True) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where database_name = current_database() and list_contains(?, schema_name)",
            [list(SCHEMAS)],
        ).fetchall()
        return {
            table: connection.execute(
                f"select count(*), coalesce(bit_xor(hash(t)), 0) from {table} as t"
            ).fetchone()
            for (table,) in tables
        }


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    found = Home(tmp_path_factory.mktemp("home"))
    simulate(found.root, stores=3, days=14, customers=60, seed=11, faults="none")
    return found


@pytest.fixture(scope="module")
def first(home: Home) -> Ended:
    return tillhouse(home, "refresh")


@pytest.fixture(scope="module")
def second(home: Home, first: Ended) -> Ended:
    return tillhouse(home, "refresh")


@pytest.fixture(scope="module")
def with_a_strange_file(home: Home, second: Ended) -> Ended:
    path = home.landing / "lantern_rates" / "rates_2018-01.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4)
    return tillhouse(home, "refresh")


@pytest.fixture(scope="module")
def stopped(home: Home, with_a_strange_file: Ended) -> Ended:
    """A rate of nothing: well-formed, so it is loaded, but no sale may be converted with it."""
    path = home.landing / "lantern_rates" / "rates_2018-02.csv"
    path.write_text(RATES + "CNY,USD,2018-02-01,0\n")
    return tillhouse(home, "refresh")


def test_a_first_refresh_loads_every_file_and_publishes(home: Home, first: Ended) -> None:
    assert (first.code, first.errors) == (0, [])
    assert sum(feed["files"] for feed in first.told["feeds"]) > 50
    assert sum(feed["loaded"] for feed in first.told["feeds"]) > 500
    assert (first.told["publication"]["version"], first.told["publication"]["new"]) == (1, True)
    assert (home.root / first.told["report"]).exists()
    assert first.rows["core.fct_sales_line"][0] > 0


def test_what_came_in_is_loaded_rejected_or_a_duplicate(first: Ended) -> None:
    for feed in first.told["feeds"]:
        assert feed["physical"] == feed["loaded"] + feed["rejected"] + feed["duplicate"], feed


def test_every_check_of_a_first_refresh_is_judged_and_passes(first: Ended) -> None:
    failed = [c for c in first.told["checks"] if not c["has_passed"] and c["is_blocking"]]

    assert failed == []
    assert {"raw", "core", "customer"} <= {c["table"].split("/")[0] for c in first.told["checks"]}


def test_every_store_day_of_the_last_weeks_is_graded_where_readers_see_it(
    home: Home, first: Ended
) -> None:
    with duckdb.connect(str(home.published / "analyst.duckdb"), read_only=True) as reader:
        graded = reader.execute(
            "select count(*) from ops.store_day where receipt_count > 0"
        ).fetchone()
        sold = reader.execute(
            "select count(distinct (store_durable_key, business_date)) from core.fct_transaction "
            "where store_durable_key > 0 and business_date > "
            "(select max(business_date) - 35 from ops.store_day)"
        ).fetchone()

    assert graded == sold
    assert graded[0] > 0
    assert first.told["alerts"] == []


def test_a_refresh_is_a_run_that_the_user_interface_shows(
    home: Home, first: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    with open_instance(home) as instance:
        run = instance.get_run_by_id(first.told["run_id"])
        record = instance.get_latest_materialization_event(dg.AssetKey(["core", "fct_sales_line"]))

    assert (run.job_name, run.status) == ("refresh", dg.DagsterRunStatus.SUCCESS)
    metadata = record.asset_materialization.metadata
    assert metadata["dagster/row_count"].value == first.rows["core.fct_sales_line"][0]
    assert "sales_line_key" in {c.name for c in metadata["dagster/column_schema"].schema.columns}


def test_readers_find_no_personal_column_in_the_published_file(home: Home, first: Ended) -> None:
    with duckdb.connect(str(home.published / "analyst.duckdb"), read_only=True) as reader:
        columns = reader.execute("select column_name from duckdb_columns()").fetchall()

    assert columns
    assert [name for (name,) in columns if name.endswith(("_token", "_masked"))] == []


def test_a_second_refresh_loads_and_changes_and_publishes_nothing(
    first: Ended, second: Ended
) -> None:
    assert (second.code, second.errors) == (0, [])
    assert sum(feed["files"] for feed in second.told["feeds"]) == 0
    assert second.told["publication"]["new"] is False
    assert second.published == first.published
    assert second.rows == first.rows


def test_checks_of_an_unchanged_warehouse_stand_as_they_were(first: Ended, second: Ended) -> None:
    def verdicts(ended: Ended) -> dict[str, bool]:
        return {f"{c['table']} {c['name']}": c["has_passed"] for c in ended.told["checks"]}

    assert verdicts(second) == verdicts(first)


def test_a_file_that_is_not_what_its_feed_says_is_held_back_and_named(
    second: Ended, with_a_strange_file: Ended
) -> None:
    ended = with_a_strange_file

    assert ended.code == 1
    [line] = ended.errors
    assert line.startswith("tillhouse: held back: lantern_rates: rates_2018-01.csv:")
    assert ended.published == second.published
    assert ended.rows == second.rows


def test_a_failed_blocking_check_on_raw_stops_the_models_and_publishes_nothing(
    second: Ended, stopped: Ended
) -> None:
    assert stopped.code == 1
    [line] = stopped.errors
    assert "raw/exchange_rate__rate" in line
    assert not {"identity", "models", "forecast", "publication"} & set(stopped.told["phases"])
    assert stopped.published == second.published
    loaded = stopped.rows.pop("raw.exchange_rate__rate")
    assert loaded[0] == second.rows["raw.exchange_rate__rate"][0] + 1
    assert stopped.rows == {t: h for t, h in second.rows.items() if t in stopped.rows}


def test_nothing_is_published_by_hand_either_while_a_blocking_check_fails(
    home: Home, stopped: Ended
) -> None:
    ended = tillhouse(home, "publish")

    assert ended.code == 1
    [line] = ended.errors
    assert "blocking checks failed: raw.exchange_rate__rate" in line
    assert ended.published == stopped.published


def test_status_says_what_is_published_and_what_failed(home: Home, stopped: Ended) -> None:
    told = tillhouse(home, "status").told

    assert told["publication"]["version"] == 1
    assert "raw.exchange_rate__rate" in {check["table"] for check in told["failed_checks"]}


def test_a_wrong_key_is_one_line_and_the_published_file_stays(home: Home, stopped: Ended) -> None:
    ended = tillhouse(home, "refresh", **{KEY_VARIABLE: "5e" * 32})

    assert (ended.code, len(ended.errors)) == (2, 1)
    assert "wrong key" in ended.errors[0]
    assert ended.published == stopped.published


def test_a_missing_key_is_one_line_and_the_published_file_stays(
    home: Home, stopped: Ended, tmp_path: Path
) -> None:
    copy = Home(tmp_path / "home")
    shutil.copytree(home.root, copy.root, ignore=shutil.ignore_patterns("master.key"))

    ended = tillhouse(copy, "refresh")

    assert (ended.code, len(ended.errors)) == (2, 1)
    assert ended.errors[0].startswith("tillhouse: no key:")
    assert ended.published == stopped.published
