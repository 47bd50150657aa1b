"""Lines of a YAML file, and suites held against the columns that their tables have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest
import yaml

from dagster_project.components.known_tables import known_tables
from dagster_project.core.home import EXPECTATIONS, Home
from dagster_project.core.modelling import ensure_manifest
from dagster_project.core.quality import SuiteError, known_columns, load_suites
from dagster_project.core.quality.places import Document, Wrong

TEXT = """\
# what is expected
table: dim_till
expectations:
  - name: first
    kwargs: {column: till_key,
      mostly: 0.5}
  - name: second
    query: >-
      select 1
      from tills
      where kode = 3
"""


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (Wrong((), "."), 1),
        (Wrong(("table",), "."), 2),
        (Wrong(("expectations",), "."), 3),
        (Wrong(("expectations", 1), "."), 7),
        (Wrong(("expectations", 1, "why"), "."), 7),  # is missing: what should hold it
        (Wrong(("expectations", 0, "kwargs"), ".", "mostly"), 6),
        (Wrong(("expectations", 0, "kwargs", "column"), "."), 5),
        (Wrong(("expectations", 1, "query"), "."), 8),
        (Wrong(("expectations", 1, "query"), ".", word="kode"), 11),
        (Wrong(("expectations", 1, "query"), ".", word="elsewhere"), 8),
        (Wrong(("expectations", 7), "."), 3),
    ],
)
def test_a_mistake_is_at_the_line_of_its_key_or_of_what_holds_it(wrong, line):
    assert Document(TEXT).line(wrong) == line


def test_a_document_holds_what_any_yaml_reader_reads():
    assert Document(TEXT).content == yaml.safe_load(TEXT)
    assert Document("").content is None


def test_a_key_given_twice_is_found_at_any_depth():
    assert Document("a: 1\nb:\n  - c: 1\n    d: 2\n    c: 3\na: 2\n").repeated == [
        (5, ("b", 0, "c")),
        (6, ("a",)),
    ]


KNOWN: dict[tuple[str, str], Mapping[str, str]] = {
    ("core", "dim_till"): {
        "till_key": "bigint",
        "till_code": "varchar",
        "opened_date": "date",
        "floor_area": "decimal(9, 2)",
        "is_open": "boolean",
        "tags": "varchar[]",
    },
    ("core", "fct_sale"): {"till_key": "bigint", "net_amount": "decimal(18, 4)"},
    ("staging", "stg_till"): {},
}
SUITE = """\
schema: core
table: dim_till
description: One row per till.
expectations:
  - expectation: {expectation}
    name: it
    kwargs:
      {arguments}
    why: Receipts find their till by it.
    severity: error
    blocking: true
"""


def told(folder: Path, expectation: str, *arguments: str) -> str:
    """What is said of a suite, from the line on; nothing where it is sound."""
    path = folder / "core" / "dim_till.yaml"
    path.parent.mkdir(exist_ok=True)
    text = SUITE.format(expectation=expectation, arguments="\n      ".join(arguments))
    path.write_text(text, "utf-8")
    try:
        load_suites(folder, KNOWN)
    except SuiteError as error:
        return str(error).removeprefix(f"{folder.name}/core/dim_till.yaml:")
    return ""


BETWEEN, IN_SET = "expect_column_values_to_be_between", "expect_column_values_to_be_in_set"
PAIR = "expect_column_pair_values_to_be_equal"
TOGETHER = "expect_compound_columns_to_be_unique"
MISFITS = {
    "a misspelled column": (
        BETWEEN, ["min_value: 1", "column: till_kee"],
        "9: expectations.0.kwargs.column: core.dim_till has no column till_kee; "
        "did you mean till_key?",
    ),
    "a column of a pair": (
        PAIR, ["column_A: till_key", "column_B: tilly"],
        "9: expectations.0.kwargs.column_B: core.dim_till has no column tilly; "
        "did you mean till_key?",
    ),
    "a column of a list": (
        TOGETHER, ["column_list:", "  - till_key", "  - zone"],
        "10: expectations.0.kwargs.column_list.1: core.dim_till has no column zone",
    ),
    "bounds of a text": (
        BETWEEN, ["column: till_code", "min_value: 1"],
        "8: expectations.0.kwargs.column: till_code is a text and has no bounds",
    ),
    "a day as bound of a number": (
        BETWEEN, ["column: floor_area", "min_value: 2024-01-01"],
        "9: expectations.0.kwargs.min_value: floor_area is a number, "
        "datetime.date(2024, 1, 1) is none",
    ),
    "a number as bound of a day": (
        BETWEEN, ["column: opened_date", "max_value: 20240101"],
        "9: expectations.0.kwargs.max_value: opened_date is a time, 20240101 is none",
    ),
    "a word among numbers": (
        IN_SET, ["column: till_key", "value_set: [1, two]"],
        "9: expectations.0.kwargs.value_set: till_key is a number, 'two' is none",
    ),
    "numbers for a text": (
        IN_SET, ["column: till_code", "value_set: [1]"],
        "9: expectations.0.kwargs.value_set: till_code is a text, 1 is none",
    ),
    "the mean of a text": (
        "expect_column_mean_to_be_between", ["column: till_code", "min_value: 1"],
        "8: expectations.0.kwargs.column: till_code is a text; "
        "expect_column_mean_to_be_between is about a number",
    ),
    "the length of a number": (
        "expect_column_value_lengths_to_equal", ["column: till_key", "value: 1"],
        "8: expectations.0.kwargs.column: till_key is a number; "
        "expect_column_value_lengths_to_equal is about a text",
    ),
    "a number beside a text": (
        PAIR, ["column_A: till_key", "column_B: till_code"],
        "9: expectations.0.kwargs.column_B: till_key is a number, till_code a text",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("expectation", "arguments", "complaint"), MISFITS.values(), ids=MISFITS.keys()
)
def test_an_argument_that_no_column_fits_is_told(tmp_path, expectation, arguments, complaint):
    assert told(tmp_path, expectation, *arguments) == complaint


@pytest.mark.parametrize(
    ("expectation", "arguments"),
    [
        (BETWEEN, ["column: opened_date", "min_value: '2000-01-01'", "max_value: 2030-01-01"]),
        (BETWEEN, ["column: floor_area", "min_value: 0.5"]),
        (IN_SET, ["column: is_open", "value_set: [true]"]),
        (IN_SET, ["column: opened_date", "value_set: ['2024-01-01']"]),
        ("expect_column_values_to_not_be_null", ["column: tags"]),
        (TOGETHER, ["column_list: [till_code, tags]"]),
        ("expect_no_rows", ["unexpected_rows_query: select 1 from {batch} where is_open"]),
        ("expect_no_rows", ["unexpected_rows_query: select 1 from {batch}, staging.stg_till"]),
    ],
)
def test_what_fits_is_not_complained_of(tmp_path, expectation, arguments):
    assert told(tmp_path, expectation, *arguments) == ""


# Condition, line, what is said: the line of the name that DuckDB quotes, else of the query.
QUERIES = {
    "a column that there is not": (
        "till_kee = 1", 10, 'Referenced column "till_kee" not found in FROM clause! Candidate bind'
    ),
    "a column that another table has not": (
        "till_key in (select net from core.fct_sale)", 10, 'Referenced column "net" not found in'
    ),
    "a table that there is not": (
        "till_key in (select till_key from core.fct_sales)", 10,
        'Table with name fct_sales does not exist! Did you mean "fct_sale"?',
    ),
    "a function that there is not": (
        "lenght(till_code) = 3", 10, "Scalar Function with name lenght does not exist!"
    ),
    "a number beside a word": (
        "till_key = 'first'", 8, "Could not convert string 'first' to INT64"
    ),
    "a text beside a number": (
        "till_code > 3", 8, "Cannot compare values of type VARCHAR and type INTEGER_LITERAL"
    ),
    "a date that is none": (
        "opened_date > '2024-13-01'", 10, 'date field value out of range: "2024-13-01"'
    ),
    "wrong syntax": ("is_open and", 8, 'syntax error at or near ")"'),
}  # fmt: skip


@pytest.mark.parametrize(("condition", "line", "complaint"), QUERIES.values(), ids=QUERIES.keys())
def test_a_query_that_cannot_run_is_told_with_the_line_of_its_mistake(
    tmp_path, condition, line, complaint
):
    said = told(
        tmp_path, "expect_no_rows", "unexpected_rows_query: >-", "  select 1 from {batch}",
        f"  where {condition}",
    )  # fmt: skip

    place = f"{line}: expectations.0.kwargs.unexpected_rows_query: "
    assert said.startswith(place + complaint)


def test_a_table_that_nobody_makes_is_told(tmp_path):
    path = tmp_path / "core" / "dim_tils.yaml"
    path.parent.mkdir()
    text = SUITE.replace("dim_till", "dim_tils")
    path.write_text(text.format(expectation=TOGETHER, arguments="column_list: [a, b]"), "utf-8")

    with pytest.raises(SuiteError) as caught:
        load_suites(tmp_path, KNOWN)

    assert str(caught.value) == (
        f"{tmp_path.name}/core/dim_tils.yaml:2: table: nobody makes core.dim_tils; "
        "did you mean core.dim_till?"
    )


def test_a_wrong_column_is_told_beside_what_is_wrong_with_another_expectation(tmp_path):
    assert told(tmp_path, "expect_column_values_to_not_be_null", "column: till_kee") != ""
    path = tmp_path / "core" / "dim_till.yaml"
    text = path.read_text("utf-8")
    second = text[text.index("  - expectation") :].replace("severity: error", "severity: bad")
    path.write_text(text + second.replace("name: it", "name: other"), "utf-8")

    with pytest.raises(SuiteError) as caught:
        load_suites(tmp_path, KNOWN)

    places = [mistake.split(": ")[1] for mistake in caught.value.mistakes]
    assert places == ["expectations.0.kwargs.column", "expectations.1.severity"]


def test_sound_suites_are_not_tried_again_and_changed_ones_are(tmp_path, monkeypatch):
    sound = ["unexpected_rows_query: select 1 from {batch} where is_open"]
    assert told(tmp_path, "expect_no_rows", *sound) == ""
    remembered = tmp_path / "fingerprint"
    tried: list[object] = []
    tables = known_columns.EmptyTables.__init__

    def noted(self: known_columns.EmptyTables, known: known_columns.Known) -> None:
        tried.append(known)
        tables(self, known)

    monkeypatch.setattr(known_columns.EmptyTables, "__init__", noted)
    load_suites(tmp_path, KNOWN, remembered)
    load_suites(tmp_path, KNOWN, remembered)
    assert len(tried) == 1

    with pytest.raises(SuiteError, match="is_open"):
        load_suites(tmp_path, {("core", "dim_till"): {"till_key": "bigint"}}, remembered)
    load_suites(tmp_path, KNOWN, remembered)
    assert len(tried) == 2
    told(tmp_path, "expect_no_rows", *sound, "  # another word")
    load_suites(tmp_path, KNOWN, remembered)
    assert len(tried) == 4


@pytest.fixture(scope="module")
def shipped(tmp_path_factory) -> dict[tuple[str, str], dict[str, str]]:
    home = Home(tmp_path_factory.mktemp("home"))
    return known_tables(json.loads(ensure_manifest(home).read_text("utf-8")))


def test_the_columns_of_every_kind_of_table_are_known_without_a_warehouse(shipped):
    assert shipped["raw", "pos_standard__line"]["quantity"].startswith("decimal")
    assert shipped["raw", "pos_standard__line"]["_batch_id"] == "bigint"
    assert shipped["core", "fct_sales_line"]["sales_line_key"] == "bigint"
    assert shipped["forecast", "daily"]["horizon_days"] == "integer"
    assert shipped["identity", "person_identifier"]["person_key"] == "BIGINT"
    assert shipped["vault", "personal_value"]["token"] == "VARCHAR"
    assert shipped["reference", "calendar"]["calendar_date"] == "date"
    assert shipped["staging", "stg_pos_standard__lines"] == {}
    with duckdb.connect() as engine:  # every type is one
        for columns in shipped.values():
            for kind in set(columns.values()):
                engine.execute(f"select cast(null as {kind})")


def test_every_shipped_suite_fits_the_tables_that_there_are(shipped):
    assert load_suites(EXPECTATIONS, shipped)
