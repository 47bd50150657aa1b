"""Every table that people rely on is judged by a suite, and every suite judges a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.core.declarations import load_templates
from dagster_project.core.home import DBT_PROJECT, EXPECTATIONS, TEMPLATES
from dagster_project.core.quality import Suite, load_suites
from dagster_project.core.yaml_files import read_yaml

# Written by python, not by dbt, each in the schema of that name.
OF_PYTHON = frozenset({"identity", "forecast"})


@pytest.fixture(scope="module")
def suites() -> list[Suite]:
    return load_suites(EXPECTATIONS)


def raw_tables() -> set[str]:
    """A table for each kind of record; what extends a template delivers into that one's tables."""
    templates = load_templates(TEMPLATES)
    own = {
        path.stem
        for path in Path(TEMPLATES).glob("*.yaml")
        if "extends" not in read_yaml(path.read_text("utf-8"))
    }
    return {f"raw/{name}__{record}" for name in own for record in templates[name].records}


def marts(*folders: str) -> set[str]:
    return {
        f"{folder}/{path.stem}"
        for folder in folders
        for path in (DBT_PROJECT / "models" / "marts" / folder).glob("*.sql")
    }


def test_each_raw_table_has_its_suite(suites):
    assert raw_tables() - {suite.name for suite in suites} == set()


def test_each_table_of_the_star_and_of_the_customer_has_its_suite(suites):
    assert marts("core", "customer") - {suite.name for suite in suites} == set()


def test_each_suite_is_of_a_table_that_exists(suites):
    folders = [path.name for path in (DBT_PROJECT / "models" / "marts").iterdir()]
    existing = raw_tables() | marts(*folders)

    judged = {suite.name for suite in suites if suite.schema_name not in OF_PYTHON}

    assert judged - existing == set()


def test_each_expectation_says_why_in_a_sentence(suites):
    silent = [
        f"{suite.name} {expected.check_name}"
        for suite in suites
        for expected in suite.expectations
        if len(expected.why.split()) < 5
    ]

    assert silent == []
