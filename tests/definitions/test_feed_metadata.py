"""What the Dagster UI is told of a feed: numbers, tables without values, a picture, two checks."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.components.feed import feed_asset, templates
from dagster_project.components.feed_metadata import BAR, GAP, HEIGHT, REJECTED, ROWS_IN, bars
from dagster_project.components.writer import WriterResource
from dagster_project.console.deployment import open_instance
from dagster_project.console.status import read_status
from dagster_project.core.declarations import load_feeds
from dagster_project.core.home import FEEDS, HOME_VARIABLE, Home
from dagster_project.core.keys import KEY_VARIABLE, load_master_key
from dagster_project.core.warehouse import Warehouse
from dagster_project.defs.arrivals import ARRIVES, REJECTS, arrivals

FEED = load_feeds(FEEDS, dict(templates()))["lantern_rates"]
HEADER = "from_curr,to_curr,day,rate\n"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
GOOD = [f"USD,CNY,2017-03-{day:02},6.{day:02}\n" for day in range(1, 29)]
NUMBERS = (
    "physical", "loaded", "rejected", "duplicate", "held_back_count", "late rows",
    "reject rate %", "hours since last delivery", "findings open", "new columns",
)  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    return Home(tmp_path / "home").create()


@pytest.fixture
def instance(home: Home) -> Iterator[dg.DagsterInstance]:
    with open_instance(home) as found:
        yield found


def deliver(home: Home, name: str, *rows: str, header: str = HEADER) -> None:
    folder = home.landing / FEED.feed
    folder.mkdir(exist_ok=True)
    part = folder / f"{name}.part"
    part.write_text(header + "".join(rows))
    part.rename(folder / name)


def load(instance: dg.DagsterInstance) -> dict[str, Any]:
    """Metadata of one materialisation, as it is stored."""
    result = dg.materialize(
        [feed_asset(FEED, templates()[FEED.template])],
        resources={"writer": WriterResource()},
        instance=instance,
        run_config=QUIET,
    )
    [event] = result.get_asset_materialization_events()
    return dict(event.materialization.metadata)


def plain(told: dict[str, Any], *names: str) -> list[Any]:
    return [told[name].value for name in names]


def records(told: dict[str, Any], table: str) -> list[dict[str, Any]]:
    return [dict(one.data) for one in told[table].value.records]


def checks(instance: dg.DagsterInstance) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    [judge] = arrivals().asset_checks
    job = dg.define_asset_job("judge", selection=dg.AssetSelection.checks(judge))
    defined = dg.Definitions(
        asset_checks=[judge],
        jobs=[job],
        resources={"writer": WriterResource()},
        executor=dg.in_process_executor,
    )
    result = defined.resolve_job_def("judge").execute_in_process(
        instance=instance, run_config=QUIET
    )
    found = result.get_asset_check_evaluations()
    return {(one.asset_key.path[-1], one.check_name): one for one in found}


def test_a_load_tells_numbers_that_plot_and_its_rejects_as_a_table_without_values(
    home: Home, instance: dg.DagsterInstance
) -> None:
    deliver(home, "rates_1.csv", *GOOD, "USD,CNY,sometime,7.77\n")

    told = load(instance)

    assert plain(told, "files", "physical", "loaded", "rejected") == [1, 29, 28, 1]
    assert told["reject rate %"].value == pytest.approx(3.448)
    assert plain(told, "late rows", "new columns", "findings open") == [0, 0, 0]
    assert 0 <= told["hours since last delivery"].value < 1
    assert {type(value) for value in plain(told, *NUMBERS)} <= {int, float}
    assert records(told, "why rejected") == [
        {
            "file": "rates_1.csv", "line": 30, "column": "rate_date", "code": "bad_date",
            "count": 1, "left out": "record",
        }
    ]  # fmt: skip
    assert "sometime" not in repr(told)
    assert "rows in and rejected" not in told


def test_a_file_held_back_is_listed_with_its_reason_until_it_is_mended(
    home: Home, instance: dg.DagsterInstance
) -> None:
    deliver(home, "rates_1.csv", "x\n", header="colour\n")
    told = load(instance)
    [held] = records(told, "files held back")
    assert (held["file"], held["reason"]) == (
        "rates_1.csv",
        f"column missing: {', '.join(FEED.columns)}",
    )
    assert plain(told, "held_back_count", "physical") == [1, 0]
    assert records(load(instance), "files held back") == [held]


def test_a_run_without_files_tells_how_the_feed_stands(
    home: Home, instance: dg.DagsterInstance
) -> None:
    deliver(home, "rates_1.csv", *GOOD, "USD,CNY,sometime,7.77\n")
    before = load(instance)

    told = load(instance)

    assert plain(told, "files", "physical", "rejected", "late rows") == [0, 0, 0, 0]
    assert records(told, "why rejected") == records(before, "why rejected")


def test_findings_are_a_table_that_says_who_to_phone_and_status_lists_them(
    home: Home, instance: dg.DagsterInstance
) -> None:
    deliver(home, "rates_1.csv", GOOD[0].strip() + ",mid\n", header=HEADER.strip() + ",kind\n")

    told = load(instance)

    message = "column kind is new in 1 of the last 1 files, first in rates_1.csv"
    assert records(told, "findings") == [
        {"kind": "new_column", "about": "kind", "finding": message, "who to phone": FEED.owner}
    ]
    assert plain(told, "new columns", "findings open") == [1, 1]
    [found] = read_status(home).findings
    assert (found.feed, found.kind, found.subject) == (FEED.feed, "new_column", "kind")
    assert found.message == f"{message}; who to phone: {FEED.owner}"


def test_two_loads_have_a_picture_of_rows_in_and_rejected(
    home: Home, instance: dg.DagsterInstance
) -> None:
    deliver(home, "rates_1.csv", *GOOD)
    load(instance)
    deliver(home, "rates_2.csv", "USD,EUR,2017-03-01,0.9\n")

    markdown = load(instance)["rows in and rejected"].value

    assert "last 2 loads, the tallest of 28 rows" in markdown
    picture = markdown.partition("base64,")[2].partition(")")[0]
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    assert len(markdown) < 3000


def pixels(png: bytes) -> list[bytes]:
    """Lines of a palette image, one byte a pixel, after checking every chunk's sum."""
    found: dict[bytes, bytes] = {}
    position = 8
    while position < len(png):
        (length,) = struct.unpack(">I", png[position : position + 4])
        kind = png[position + 4 : position + 8]
        found[kind] = png[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack(">I", png[position + 8 + length : position + 12 + length])
        assert zlib.crc32(kind + found[kind]) == checksum
        position += 12 + length
    width, height = struct.unpack(">II", found[b"IHDR"][:8])
    raw = zlib.decompress(found[b"IDAT"])
    lines = [raw[row * (width + 1) : (row + 1) * (width + 1)] for row in range(height)]
    assert {line[0] for line in lines} == {0}
    return [line[1:] for line in lines]


def test_bars_are_as_tall_as_their_loads_and_a_single_reject_is_seen() -> None:
    lines = pixels(bars([(1000, 1), (500, 250), (0, 0)]))
    columns = [[line[GAP + place * (BAR + GAP)] for line in lines[:HEIGHT]] for place in range(3)]
    # Of 90 pixels: all, of which one for the reject; a half, half of it rejected; nothing.
    assert [column.count(ROWS_IN) for column in columns] == [89, 22, 0]
    assert [column.count(REJECTED) for column in columns] == [1, 23, 0]


def test_every_feed_has_both_checks_and_one_that_never_came_passes(
    home: Home, instance: dg.DagsterInstance
) -> None:
    found = checks(instance)
    assert set(found) == {
        (feed, check)
        for feed in load_feeds(FEEDS, dict(templates()))
        for check in (ARRIVES, REJECTS)
    }
    assert {one.passed for one in found.values()} == {True}
    assert {one.severity for one in found.values()} == {dg.AssetCheckSeverity.WARN}


def test_a_feed_that_is_overdue_fails_its_check_and_stands_in_the_findings(
    home: Home, instance: dg.DagsterInstance
) -> None:
    deliver(home, "rates_1.csv", *GOOD)
    load(instance)
    hours = FEED.arrival.expected_hours
    assert hours is not None
    with Warehouse(home, load_master_key(home, {})).connect() as connection:
        long_ago = datetime.now(UTC) - timedelta(hours=hours + 1)
        connection.execute("update ops.file_ledger set arrived_at = ?", [long_ago])

    found = checks(instance)

    assert not found[FEED.feed, ARRIVES].passed
    assert FEED.owner in found[FEED.feed, ARRIVES].description
    assert found[FEED.feed, REJECTS].passed
    assert [one.kind for one in read_status(home).findings] == ["silence"]
    deliver(home, "rates_2.csv", "USD,EUR,2017-03-01,0.9\n")
    load(instance)
    assert checks(instance)[FEED.feed, ARRIVES].passed
    assert read_status(home).findings == ()


def test_too_many_rejects_fail_the_check_with_their_share(
    home: Home, instance: dg.DagsterInstance
) -> None:
    deliver(home, "rates_1.csv", *GOOD[:9], "USD,CNY,sometime,7.77\n")
    load(instance)

    judged = checks(instance)[FEED.feed, REJECTS]

    # More than the feed's threshold: the file is held back, all ten records with it.
    assert not judged.passed
    assert judged.metadata["reject rate %"].value == 100
    assert judged.metadata["failed rows"].value == 10


def test_a_warehouse_of_an_earlier_version_has_a_status_without_findings(
    home: Home, instance: dg.DagsterInstance
) -> None:
    deliver(home, "rates_1.csv", *GOOD)
    load(instance)
    with Warehouse(home, load_master_key(home, {})).connect() as connection:
        connection.execute("drop table ops.feed_finding")
    assert read_status(home).findings == ()
