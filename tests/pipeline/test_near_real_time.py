"""One receipt dropped into the landing folders of a refreshed home: asked for, loaded, published.

The steps build on each other, as on a day of trade: a home refreshed by night, a sensor that looks,
the run it asks for, the next night.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from dagster_project.console.deployment import open_instance
from dagster_project.core.home import HOME_VARIABLE, PROJECT, Home
from dagster_project.core.keys import KEY_VARIABLE, load_master_key
from dagster_project.core.modelling import record_build
from dagster_project.core.simulation import simulate
from dagster_project.core.warehouse import Warehouse

pytestmark = pytest.mark.long(minutes=3)

NUMBER = "CN01-9-170110-9001"
# Two at 10.00 with 1.50 off, paid with a twenty and 1.50 back.
AMOUNT = Decimal("18.50")
AT = "2017-01-10T11:12:13+08:00"
FILES = {
    "lantern_receipts": (
        "bon_no;bon_kind;shop;till;cashier;club_card;closed_at;written_at;curr;positions;to_pay;"
        "cash_rounding;secs\n"
        f"{NUMBER};S;CN01;9;CN01-K04;;{AT};{AT};CNY;1;18.50;0;20\n"
    ),
    "lantern_lines": (
        "bon_no;pos;kind;article;qty;price_each;list_value;reduction;vat;cost;action_code;ref_bon;"
        f"ref_pos;closed_at\n{NUMBER};1;S;{{article}};2.000;10.00;20.00;1.50;0;12.00;;;;{AT}\n"
    ),
    "lantern_tenders": (
        "bon_no;nr;means;amount;curr;pan;cvv;issuer;entry;auth;ref;closed_at\n"
        f"{NUMBER};1;CASH;20.00;CNY;;;;;;;{AT}\n{NUMBER};2;CASH;-1.50;CNY;;;;;;;{AT}\n"
    ),
}
OLDER = "older"
FACTS = ("core.fct_sales_line", "core.fct_transaction", "core.fct_tender", "core.fct_web_event")
Days = dict[tuple[str, str], tuple[int, int]]


@dataclass(frozen=True)
class State:
    """What readers see, and what the warehouse holds by day."""

    version: int
    net_amount: Decimal
    days: Days  # fact and business day → rows and a hash of all their columns, batch included
    forecast: tuple[str, int]  # fingerprint of the last forecast, rows of it
    built_batch_id: int


def state(home: Home) -> State:
    with duckdb.connect(str(home.published / "analyst.duckdb"), read_only=True) as reader:
        (version,) = reader.execute("select max(version) from ops.publication").fetchone()
        (net,) = reader.execute("select sum(net_amount) from core.fct_sales_line").fetchone()
    with Warehouse(home, load_master_key(home, {})).connect(read_only=True) as connection:
        days = {
            (fact, str(day)): (count, digest)
            for fact in FACTS
            for day, count, digest in connection.execute(
                f"select business_date, count(*), bit_xor(hash(f)) from {fact} as f group by all"
            ).fetchall()
        }
        builds = dict(
            connection.execute(
                "select build, (fingerprint, built_batch_id) from ops.build_state"
            ).fetchall()
        )
        (rows,) = connection.execute("select count(*) from forecast.daily").fetchone()
    return State(version, net, days, (builds["forecast"][0], rows), builds["models"][1])


def run(home: Home, *arguments: str) -> None:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("TILLHOUSE", "DAGSTER"))}
    own = {HOME_VARIABLE: str(home.root), "DAGSTER_HOME": str(home.dagster)}
    ended = subprocess.run(
        [sys.executable, "-m", *arguments],
        check=False,
        cwd=PROJECT,
        env=inherited | own | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]


def look(home: Home, cursor: str | None) -> tuple[list[dg.RunRequest], str | None]:
    """One look of the sensor, as the daemon has it look."""
    from dagster_project.defs.landing import landing_folders

    with (
        pytest.MonkeyPatch.context() as patch,
        open_instance(home) as instance,
        dg.build_sensor_context(instance=instance, cursor=cursor) as context,
    ):
        patch.setenv(HOME_VARIABLE, str(home.root))
        patch.setenv("DAGSTER_HOME", "")
        patch.delenv(KEY_VARIABLE, raising=False)
        data = landing_folders.evaluate_tick(context)
    return list(data.run_requests or []), data.cursor


def drop(home: Home) -> None:
    with Warehouse(home, load_master_key(home, {})).connect(read_only=True) as connection:
        (article,) = connection.execute(
            "select min(product_code) from raw.pos_standard__line where receipt_id like 'CN01-%'"
        ).fetchone()
    for feed, content in FILES.items():
        part = home.landing / feed / "arrival.part"
        part.write_text(content.format(article=article))
        name = f"{feed.removeprefix('lantern_')}_CN_2017W02_late.csv"
        part.rename(part.with_name(name))


@dataclass(frozen=True)
class Day:
    """One day of trade: before the file, after the run it led to, and after the next night."""

    requests: list[list[dg.RunRequest]]  # of four looks: before, at the files, again, afterwards
    before: State
    after: State
    dbt_arguments: dict[str, object]
    night: State


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    found = Home(tmp_path_factory.mktemp("home")).create()
    simulate(found.root, stores=3, days=14, customers=60, seed=11, faults="none")
    run(found, "dagster_project.cli", "refresh")
    # As a forecast stands whose sales have changed since; two weeks are too few to have a series.
    with Warehouse(found, load_master_key(found, {})).connect() as connection:
        record_build(connection, "forecast", 1, OLDER)
    return found


@pytest.fixture(scope="module")
def day(home: Home) -> Day:
    before = state(home)
    nothing, cursor = look(home, None)
    drop(home)
    asked, cursor = look(home, cursor)
    again, cursor = look(home, cursor)
    tags = json.dumps(dict(asked[0].tags))
    run(
        home, "dagster", "job", "execute", "-m", "dagster_project.definitions", "-j", "refresh",
        "--tags", tags,
    )  # fmt: skip
    after = state(home)
    taken, _ = look(home, cursor)
    arguments = last_dbt_arguments(home)
    run(home, "dagster_project.cli", "refresh")
    return Day([nothing, asked, again, taken], before, after, arguments, state(home))


def last_dbt_arguments(home: Home) -> dict[str, object]:
    newest: Path = max((home.dbt_target / "builds").iterdir())
    return json.loads((newest / "run_results.json").read_text("utf-8"))["args"]


def test_files_that_arrive_lead_to_one_run_and_are_not_asked_for_twice(day: Day) -> None:
    nothing, asked, again, taken = day.requests

    assert [len(requests) for requests in (nothing, asked, again, taken)] == [0, 1, 0, 0]
    assert asked[0].tags["arrived"] == "lantern_lines,lantern_receipts,lantern_tenders"


def test_the_published_amount_changes_by_exactly_the_receipts_amount(day: Day) -> None:
    assert day.after.net_amount - day.before.net_amount == AMOUNT
    assert day.after.version == day.before.version + 1


def test_no_row_of_another_day_changes_its_values_or_its_batch(day: Day) -> None:
    changed = {
        place for place, rows in day.after.days.items() if day.before.days.get(place) != rows
    }
    gone = day.before.days.keys() - day.after.days.keys()

    facts = ("core.fct_sales_line", "core.fct_tender", "core.fct_transaction")
    assert changed == {(fact, "2017-01-10") for fact in facts}
    assert gone == set()
    lines = [
        state.days["core.fct_sales_line", "2017-01-10"][0] for state in (day.before, day.after)
    ]
    assert lines[1] == lines[0] + 1


def test_the_models_are_not_built_from_the_beginning(day: Day) -> None:
    assert not day.dbt_arguments.get("full_refresh")
    # Three files of three feeds: three loads more.
    assert day.after.built_batch_id == day.before.built_batch_id + 3


def test_the_forecast_is_left_to_the_night_which_makes_up_for_it(day: Day) -> None:
    assert day.after.forecast == day.before.forecast
    assert day.after.forecast[0] == OLDER
    assert day.night.forecast[0] != OLDER
    assert day.night.days == day.after.days
