"""The code location with a suite that is wrong: it says which line, and does not load."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from dagster_project.console.errors import explained, told
from dagster_project.core.home import HOME_VARIABLE
from dagster_project.core.quality import SuiteError

SUITE = """\
schema: {schema}
table: {table}
description: One row per thing.
expectations:
  - expectation: expect_column_to_exist
    kwargs:
      column: {column}
    why: Receipts find their store by it.
    severity: error
    blocking: true
"""
WRONG = {
    "a misspelled column": (
        ("core", "dim_store", "stoer_key"),
        "expectations/core/dim_store.yaml:7: expectations.0.kwargs.column: "
        "core.dim_store has no column stoer_key; did you mean store_key?",
    ),
    "a table that nobody makes": (
        ("raw", "pos_standard__lines", "quantity"),
        "expectations/raw/pos_standard__lines.yaml:2: table: "
        "nobody makes raw.pos_standard__lines; did you mean raw.pos_standard__line?",
    ),
    "a schema that no step judges": (
        ("ops", "batch", "feed"),
        "expectations/ops/batch.yaml: schema: ops is judged by no step",
    ),
}


@pytest.fixture
def checks(monkeypatch, tmp_path):
    """The module that loads the suites, with a home and a folder of suites of its own."""
    with warnings.catch_warnings():
        # A parser that dagster_dbt imports has a successor, and says so.
        warnings.simplefilter("ignore", DeprecationWarning)
        from dagster_project.defs import checks
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.setattr(checks, "EXPECTATIONS", tmp_path / "expectations")
    return checks


def write(folder: Path, schema: str, table: str, column: str) -> None:
    path = folder / schema / f"{table}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SUITE.format(schema=schema, table=table, column=column), "utf-8")


@pytest.mark.parametrize(("suite", "complaint"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_suite_is_told_with_its_line(checks, suite, complaint):
    write(checks.EXPECTATIONS, *suite)

    with pytest.raises(SuiteError) as caught:
        checks.checks()

    assert str(caught.value) == complaint


def test_the_location_and_the_terminal_say_a_line_for_each_mistake(checks):
    from dagster_project.definitions import definitions

    write(checks.EXPECTATIONS, *WRONG["a misspelled column"][0])
    write(checks.EXPECTATIONS, *WRONG["a table that nobody makes"][0])

    with pytest.raises(explained()) as caught:
        definitions()

    assert told(caught.value) == [
        WRONG["a misspelled column"][1],
        WRONG["a table that nobody makes"][1],
    ]
