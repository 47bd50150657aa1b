"""A suite says what is wrong with it, and results are kept without a value."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dagster_project.core.home import EXPECTATIONS, Home
from dagster_project.core.quality import (
    CheckResult,
    SuiteError,
    blocking_failures,
    load_suites,
    record_results,
    write_data_docs,
)
from dagster_project.core.warehouse import OPS_TABLES

GOOD = """
schema: core
table: dim_till
description: One row per till.
expectations:
  - expectation: expect_column_values_to_not_be_null
    kwargs: {column: till_key}
    why: Receipts find their till by it.
    severity: error
    blocking: true
"""


def write(tmp_path: Path, text: str, name: str = "core/dim_till.yaml") -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return tmp_path


def result(name: str = "keys_are_known", **changes: object) -> CheckResult:
    values = {
        "schema_name": "core",
        "table_name": "dim_till",
        "check_name": name,
        "severity": "error",
        "is_blocking": False,
        "has_passed": True,
        "failed_count": 0,
        "row_count": 12,
        "why": "Receipts find their till by it.",
        "statement": "till_key values must never be null.",
    }
    return CheckResult(**(values | changes))


def test_a_suite_is_read_with_its_checks(tmp_path):
    (suite,) = load_suites(write(tmp_path, GOOD))

    assert suite.name == "core/dim_till"
    assert suite.expectations[0].check_name == "column_values_to_not_be_null__till_key"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("not_be_null", "be_nice", "unknown expectation 'expect_column_values_to_be_nice'"),
        ("{column: till_key}", "{colum: till_key}", "takes no colum"),
        ("why: Receipts find their till by it.", "why: ''", "why"),
        ("    why: Receipts find their till by it.\n", "", "why: Field required"),
        ("severity: error", "severity: fatal", "severity"),
        ("severity: error", "severity: warning", "what stops the refresh has severity error"),
        ("table: dim_till", "table: dim_store", "must be the folder's and the file's name"),
        ("schema: core", "schema: core; drop", "schema"),
        ("blocking: true", "blocking: true\n    skip: true", "skip"),
        ("expectations:", "expectations: [", "expected"),
    ],
)
def test_a_suite_that_is_wrong_names_the_file_and_the_place(tmp_path, old, new, complaint):
    folder = write(tmp_path, GOOD.replace(old, new))

    with pytest.raises(SuiteError) as caught:
        load_suites(folder)

    assert "dim_till.yaml" in str(caught.value)
    assert complaint in str(caught.value)


def test_two_checks_of_one_name_are_refused(tmp_path):
    twice = GOOD + GOOD[GOOD.index("  - expectation") :]

    with pytest.raises(SuiteError, match="two checks named"):
        load_suites(write(tmp_path, twice))


def test_a_query_that_does_not_read_its_table_is_refused(tmp_path):
    text = GOOD.replace("expect_column_values_to_not_be_null", "expect_no_rows").replace(
        "{column: till_key}", "{unexpected_rows_query: select 1}\n    name: nothing"
    )

    with pytest.raises(SuiteError, match=r"reads the suite's table as \{batch\}"):
        load_suites(write(tmp_path, text))


def test_every_shipped_suite_is_valid_and_every_expectation_has_a_reason():
    suites = load_suites(EXPECTATIONS)

    assert {"raw/pos_standard__line", "identity/person_identifier"} <= {s.name for s in suites}
    reasons = [expected.why for suite in suites for expected in suite.expectations]
    assert min(len(why.split()) for why in reasons) >= 5


def test_only_failed_blocking_checks_block():
    results = [
        result("passes", is_blocking=True),
        result("warns", has_passed=False, severity="warning"),
        result("blocks", has_passed=False, is_blocking=True),
    ]

    assert [check.check_name for check in blocking_failures(results)] == ["blocks"]


def test_results_are_recorded_once_per_run_and_check():
    connection = duckdb.connect()
    connection.execute("create schema ops; create schema vault;" + OPS_TABLES)

    record_results(connection, "run-1", [result(has_passed=False, failed_count=3)])
    record_results(connection, "run-1", [result(has_passed=False, failed_count=3)])
    record_results(connection, "run-2", [result()])

    rows = connection.execute(
        "select run_id, check_name, kind, has_passed, failed_count from ops.check_result "
        "order by run_id"
    ).fetchall()
    connection.close()
    assert rows == [
        ("run-1", "keys_are_known", "expectation", False, 3),
        ("run-2", "keys_are_known", "expectation", True, 0),
    ]


def test_data_docs_show_counts_reasons_and_what_blocks(tmp_path):
    home = Home(tmp_path)
    write_data_docs(home, [result(table_name="gone")], "first")

    index = write_data_docs(
        home,
        [result(), result("amounts < 9", has_passed=False, failed_count=1234, is_blocking=True)],
        "judged at noon",
    )

    text = index.read_text("utf-8")
    page = (tmp_path / "data_docs/core/dim_till.html").read_text("utf-8")
    assert "1 failed, 1 of them blocking" in text
    assert "amounts &lt; 9" in page
    assert "1,234" in page
    assert "http" not in page
    assert not (tmp_path / "data_docs/core/gone.html").exists()
