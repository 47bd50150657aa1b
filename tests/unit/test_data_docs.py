"""Data Docs: what the pages say of checks that pass, fail, fail for long, and are gone."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from dagster_project.core.home import Home
from dagster_project.core.quality import CheckResult, record_results, write_data_docs
from dagster_project.core.warehouse import Warehouse

KEYS = CheckResult(
    schema_name="core",
    table_name="dim_till",
    check_name="keys_are_known",
    severity="error",
    is_blocking=False,
    has_passed=True,
    failed_count=0,
    row_count=200,
    why="Receipts find their till by it.",
    statement="till_key values must never be null.",
)
LINES = replace(KEYS, schema_name="raw", table_name="till__line", check_name="amounts < 9")


@pytest.fixture
def connection(warehouse: Warehouse):
    with warehouse.connect() as opened:
        yield opened


def judge(connection: duckdb.DuckDBPyConnection, day: int, *results: CheckResult) -> None:
    """Record results as judged at noon of a day of March 2026, in a run of that name."""
    record_results(connection, f"run-{day:02}", results)
    connection.execute(
        "update ops.check_result set checked_at = make_timestamptz(2026, 3, ?, 12, 0, 0, 'UTC') "
        "where run_id = ?",
        [day, f"run-{day:02}"],
    )


def failing(check: CheckResult, count: int, **changes: object) -> CheckResult:
    return replace(check, has_passed=False, failed_count=count, **changes)


def pages(home: Home) -> dict[str, str]:
    found = home.data_docs.rglob("*.html")
    return {p.relative_to(home.data_docs).as_posix(): p.read_text("utf-8") for p in found}


def written(warehouse: Warehouse, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    write_data_docs(warehouse.home, connection, "at noon")
    return pages(warehouse.home)


def text_of(page: str) -> str:
    """The page's words as a reader sees them."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.replace("<wbr>", "")).split())


def test_one_sentence_says_how_all_checks_stand_and_what_is_held_back(warehouse, connection):
    blocking = failing(LINES, 12, is_blocking=True)
    warning = failing(KEYS, 1, check_name="names", severity="warning")
    judge(connection, 1, KEYS, blocking, warning)

    index = text_of(written(warehouse, connection)["index.html"])

    assert "3 checks on 2 tables: 1 passed, 1 warned, 1 failed." in index
    assert "1 of the failures is blocking: publication is held back" in index
    assert "what is built from raw.till__line waits" in index


def test_a_page_tells_of_each_check_why_it_is_there_and_since_when_it_fails(warehouse, connection):
    judge(connection, 1, failing(KEYS, 9))
    judge(connection, 2, KEYS)
    judge(connection, 3, failing(KEYS, 4))
    judge(connection, 4, failing(KEYS, 5))

    page = text_of(written(warehouse, connection)["core/dim_till.html"])

    assert "till_key values must never be null. Receipts find their till by it." in page
    assert "5 2.50%" in page  # of 200 rows
    assert "failed since 2026-03-03 12:00 UTC" in page
    assert "Failed rows at the last 4 judgements, oldest first: 9, 0, 4, 5" in page


def test_a_trend_ends_with_thirty_judgements(warehouse, connection):
    for day in range(1, 32):
        judge(connection, day, failing(KEYS, day))

    page = text_of(written(warehouse, connection)["core/dim_till.html"])

    assert "Failed rows at the last 30 judgements, oldest first: 2, 3," in page
    assert "since 2026-03-01 12:00 UTC" in page  # longer ago than the trend shows


def test_a_verdict_that_a_later_run_takes_over_is_one_judgement(warehouse, connection):
    judge(connection, 1, failing(KEYS, 3))
    connection.execute("update ops.check_result set kind = 'dbt_test'")
    connection.execute("insert into ops.check_result select * replace ('again' as run_id) from "
                       "ops.check_result")  # fmt: skip

    page = text_of(written(warehouse, connection)["core/dim_till.html"])

    assert "1 check." in page
    assert "Failed rows at the one judgement, oldest first: 3" in page


def test_what_a_run_leaves_alone_stands_in_the_tables_trend(warehouse, connection):
    judge(connection, 1, failing(KEYS, 3))
    judge(connection, 2, failing(KEYS, 1, check_name="unique"))
    connection.execute("update ops.check_result set kind = 'dbt_test' where run_id = 'run-02'")

    index = text_of(written(warehouse, connection)["index.html"])

    assert "Checks that did not pass at the last 2 judgements, oldest first: 1, 2" in index


def test_a_check_that_was_taken_out_is_gone_from_its_page(warehouse, connection):
    judge(connection, 1, KEYS, failing(KEYS, 2, check_name="old_rule"))
    judge(connection, 2, KEYS)

    page = written(warehouse, connection)["core/dim_till.html"]

    assert "old rule" not in page


def test_a_table_judged_no_more_has_no_page_and_a_killed_write_leaves_nothing(
    warehouse, connection
):
    judge(connection, 1, KEYS, LINES)
    before = written(warehouse, connection)
    (warehouse.home.data_docs / "core/dim_till.html.tmp").write_text("<html>", "utf-8")
    connection.execute("delete from ops.check_result where schema_name = 'raw'")

    after = written(warehouse, connection)

    assert set(before) - set(after) == {"raw/till__line.html"}
    assert not (warehouse.home.data_docs / "raw").exists()
    assert not list(warehouse.home.data_docs.rglob("*.tmp"))


def test_the_same_results_give_the_same_bytes_and_untouched_files(warehouse, connection):
    judge(connection, 1, KEYS, failing(LINES, 7))
    first = written(warehouse, connection)
    stamps = {path: path.stat().st_ino for path in warehouse.home.data_docs.rglob("*.html")}

    assert written(warehouse, connection) == first
    assert stamps == {path: path.stat().st_ino for path in stamps}


def test_all_text_is_escaped_and_nothing_is_fetched(warehouse, connection):
    odd = failing(LINES, 1, statement="<b>bold</b>", why="a & b", error="<script>alert(1)</script>")
    judge(connection, 1, odd)

    found = written(warehouse, connection)

    page = found["raw/till__line.html"]
    assert "amounts &lt; 9" in page
    assert "&lt;b&gt;bold" in page
    assert "a &amp; b" in page
    assert "&lt;script&gt;alert" in page
    for text in found.values():
        assert not re.search(r"https?:|<link|src=|@import|url\(", text)


def test_every_link_leads_to_a_page(warehouse, connection):
    judge(connection, 1, KEYS, LINES, replace(KEYS, table_name="dim_store"))

    for place, text in written(warehouse, connection).items():
        links = re.findall(r'href="([^"]+)"', text)
        assert links
        for link in links:
            assert (warehouse.home.data_docs / Path(place).parent / link).resolve().is_file()


def test_open_anomalies_are_listed_and_resolved_ones_are_not(warehouse, connection):
    judge(connection, 1, KEYS)
    connection.executemany(
        "insert into ops.anomaly (anomaly_id, run_id, found_at, resolved_at, table_name, "
        "business_date, last_business_date, kind, measure, severity, sentence, also) values "
        "(?, 'run', now(), ?, 'sales.daily', '2026-03-01', '2026-03-02', 'silent', 'rows', "
        "'severe', ?, [])",
        [["a", None, "Store 7 is silent."], ["b", "2026-03-04", "Store 8 was silent."]],
    )

    found = written(warehouse, connection)

    for place in ("index.html", "sales/daily.html"):
        assert "2026-03-01 to 2026-03-02 severe Store 7 is silent." in text_of(found[place])
        assert "Store 8" not in found[place]
