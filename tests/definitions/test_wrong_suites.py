"""The code location with a suite that is wrong: it says which line, and does not load."""

from __future__ import annotations

import warnings

import pytest

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


@pytest.mark.parametrize(("suite", "complaint"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_suite_is_told_with_its_line(tmp_path, monkeypatch, suite, complaint):
    with warnings.catch_warnings():
        # A parser that dagster_dbt imports has a successor, and says so.
        warnings.simplefilter("ignore", DeprecationWarning)
        from dagster_project.defs import checks
    schema, table, column = suite
    path = tmp_path / "expectations" / schema / f"{table}.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(SUITE.format(schema=schema, table=table, column=column), "utf-8")
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.setattr(checks, "EXPECTATIONS", tmp_path / "expectations")

    with pytest.raises(SuiteError) as caught:
        checks.checks()

    assert str(caught.value) == complaint
