"""A suite says what is wrong with it, and results are kept without a value."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dagster_project.core.home import EXPECTATIONS
from dagster_project.core.quality import (
    CheckResult,
    SuiteError,
    blocking_failures,
    load_suites,
    record_results,
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


NULLS = "expect_column_values_to_not_be_null"
WHY = "    why: Receipts find their till by it.\n"
MISTAKES = {
    "a misspelled expectation": (
        "not_be_null", "not_be_nul",
        "6: expectations.0.expectation: unknown expectation "
        f"'expect_column_values_to_not_be_nul'; did you mean {NULLS}?",
    ),
    "an expectation that nobody knows": (
        NULLS, "be_nice",
        "6: expectations.0.expectation: unknown expectation 'be_nice'; known: expect_column_to_ex",
    ),
    "a misspelled argument": (
        "{column: till_key}", "{colum: till_key}",
        f"7: expectations.0.kwargs: {NULLS} takes no colum; did you mean column?",
    ),
    "an argument on a line of its own": (
        "{column: till_key}", "\n      column: till_key\n      min_value: 3",
        f"9: expectations.0.kwargs: {NULLS} takes no min_value; it takes column, mostly",
    ),
    "no argument": (
        "    kwargs: {column: till_key}\n", "",
        f"6: expectations.0.kwargs: {NULLS} needs column",
    ),
    "an empty reason": (WHY, "    why: ''\n", "8: expectations.0.why: String should have at least"),
    "no reason": (WHY, "", "6: expectations.0.why: Field required"),
    "a severity that is none": (
        "severity: error", "severity: fatal",
        "9: expectations.0.severity: Input should be 'error' or 'warning'",
    ),
    "a warning that blocks": (
        "severity: error", "severity: warning",
        "9: expectations.0.severity: what stops the refresh has severity error",
    ),
    "another table's name": (
        "table: dim_till", "table: dim_store",
        "3: table: suite 'core/dim_store' must be the folder's and the file's name, core/dim_till",
    ),
    "another schema's name": (
        "schema: core", "schema: customer",
        "2: schema: suite 'customer/dim_till' must be the folder's and the file's name",
    ),
    "a schema that is no name": ("schema: core", "schema: core; drop", "2: schema: String should"),
    "a misspelled key": (
        "blocking: true", "blocking: true\n    serverity: error",
        "11: expectations.0.serverity: unknown key; did you mean severity?",
    ),
    "a key nobody knows": (
        "table: dim_till", "table: dim_till\nowner: me",
        "4: owner: unknown key; there are description, expectations, schema, table",
    ),
    "a key given twice": (
        "blocking: true", "blocking: true\n    severity: error",
        "11: expectations.0.severity: the key is given twice",
    ),
    "a list that does not end": ("expectations:", "expectations: [", "6: did not find expected"),
    "an expectation that is a word": (
        "expectations:", "expectations:\n  - nonsense",
        "6: expectations.0: expected keys and values",
    ),
    "a query without a name": (
        f"{NULLS}\n    kwargs: {{column: till_key}}",
        "expect_no_rows\n    kwargs: {unexpected_rows_query: 'select 1 from {batch}'}",
        "6: expectations.0: expect_no_rows needs a name",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "complaint"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_with_file_line_and_place(tmp_path, old, new, complaint):
    folder = write(tmp_path, GOOD.replace(old, new))

    with pytest.raises(SuiteError) as caught:
        load_suites(folder)

    assert str(caught.value).startswith(f"{tmp_path.name}/core/dim_till.yaml:{complaint}")
    assert len(caught.value.mistakes) == 1


@pytest.mark.parametrize(
    ("expectation", "arguments", "complaint"),
    [
        ("expect_column_values_to_be_between", "min_value: a", "min_value: a bound is a number or"),
        ("expect_column_values_to_be_between", "strict_min: true", "needs min_value or max_value"),
        ("expect_column_values_to_be_between", "min_value: 3, max_value: 2", "is above max_value"),
        (
            "expect_column_values_to_be_between",
            "min_value: 3, max_value: 2024-01-01",
            "max_value: min_value and max_value are of two kinds",
        ),
        (
            "expect_column_values_to_be_between",
            "min_value: '2024-02-01', max_value: 2024-01-01",
            "min_value: min_value is above max_value",
        ),
        ("expect_column_values_to_be_between", "min_value: 1, strict_min: 1", "it is true or fals"),
        ("expect_column_mean_to_be_between", "min_value: 2024-01-01", "a bound is a number, not"),
        ("expect_column_value_lengths_to_be_between", "min_value: 1.5", "a bound of a count is a"),
        ("expect_column_value_lengths_to_equal", "value: -1", "value: it is a whole number, 0 or"),
        ("expect_column_values_to_be_in_set", "value_set: shop", "value_set: it is a list of valu"),
        ("expect_column_values_to_be_in_set", "value_set: []", "value_set: it is a list of values"),
        ("expect_column_values_to_be_in_set", "mostly: 1", "needs value_set"),
        ("expect_column_values_to_not_be_null", "mostly: 95", "mostly: it is a share above 0, at"),
        ("expect_column_values_to_not_be_null", "mostly: 0", "mostly: it is a share above 0, at"),
    ],
)
def test_an_argument_that_does_not_fit_is_told(tmp_path, expectation, arguments, complaint):
    text = GOOD.replace(NULLS, expectation).replace("till_key}", f"till_key, {arguments}}}")

    with pytest.raises(SuiteError) as caught:
        load_suites(write(tmp_path, text))

    [told] = caught.value.mistakes
    assert told.startswith(f"{tmp_path.name}/core/dim_till.yaml:7: expectations.0.kwargs")
    assert complaint in told


@pytest.mark.parametrize(
    ("expectation", "arguments", "complaint"),
    [
        ("expect_compound_columns_to_be_unique", "{column_list: [a]}", "a list of two or more nam"),
        (
            "expect_compound_columns_to_be_unique",
            "{column_list: [a, b], ignore_row_if: neither}",
            "ignore_row_if is one of all_values_are_missing, any_value_is_missing, never, not 'nei",
        ),
        ("expect_column_pair_values_to_be_equal", "{column_A: a}", "needs column_B"),
        (
            "expect_column_pair_values_to_be_equal",
            "{column_A: a, column_B: 3}",
            "it is a name, not",
        ),
        ("expect_table_row_count_to_be_between", "{min_value: -1}", "a whole number, 0 or more"),
        ("expect_no_rows", "{unexpected_rows_query: select 1}", "reads the suite's table as {batc"),
        ("expect_no_rows", "{unexpected_rows_query: 3}", "it is a query, not 3"),
        (
            "expect_no_rows",
            "{unexpected_rows_query: \"select 1 from {batch} where a ~ '[0-9]{4}'\"}",
            "braces that are not {batch} are doubled",
        ),
    ],
)
def test_arguments_of_more_than_a_column_are_judged_too(
    tmp_path, expectation, arguments, complaint
):
    text = GOOD.replace(NULLS, expectation).replace("{column: till_key}", arguments)

    with pytest.raises(SuiteError) as caught:
        load_suites(write(tmp_path, text + "    name: named\n"))

    [told] = caught.value.mistakes
    assert ":7: expectations.0.kwargs" in told
    assert complaint in told


def test_every_mistake_of_every_file_is_told_by_file_and_line(tmp_path):
    second = GOOD[GOOD.index("  - expectation") :].replace("till_key", "store_key")
    write(tmp_path, GOOD.replace("column: t", "colum: t") + second.replace("error", "fatal"))
    folder = write(
        tmp_path, GOOD.replace("core", "raw").replace(WHY, "    why: no\n"), "raw/dim_till.yaml"
    )

    with pytest.raises(SuiteError) as caught:
        load_suites(folder)

    told = [mistake.removeprefix(f"{tmp_path.name}/") for mistake in caught.value.mistakes]
    assert [mistake.rsplit(": ", 1)[0] for mistake in told] == [
        "core/dim_till.yaml:7: expectations.0.kwargs",
        "core/dim_till.yaml:14: expectations.1.severity",
        "raw/dim_till.yaml:8: expectations.0.why",
    ]
    assert str(caught.value) == "\n".join(caught.value.mistakes)


@pytest.mark.parametrize("name", ["dim_till.yaml", "core/dim_till.yml", "core/more/dim_till.yaml"])
def test_a_file_that_would_not_be_read_is_a_mistake(tmp_path, name):
    with pytest.raises(SuiteError, match=r"a suite is <schema>/<table>\.yaml"):
        load_suites(write(tmp_path, GOOD, name))


def test_two_checks_of_one_name_are_refused(tmp_path):
    twice = GOOD + GOOD[GOOD.index("  - expectation") :]

    with pytest.raises(SuiteError, match=r":11: expectations\.1: two checks named"):
        load_suites(write(tmp_path, twice))


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
