"""Expectation suites: what a person believes about a table, read from YAML and validated.

Belongs here: the shape of ``expectations/<schema>/<table>.yaml``. Does not: running them
(``running``), or what a table holds.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dagster_project.core.yaml_files import read_yaml

IDENTIFIER = r"^[a-z][a-z0-9_]*$"

# What a suite may expect, and the arguments it may give. Each of these runs as SQL in the warehouse
# and yields counts; expectations whose result is a value of the data are left out on purpose.
_COLUMN = {"column", "mostly"}
_RANGE = {"min_value", "max_value", "strict_min", "strict_max"}
_PAIR = {"column_A", "column_B", "ignore_row_if", "mostly"}
EXPECTATIONS: dict[str, frozenset[str]] = {
    name: frozenset(arguments)
    for name, arguments in {
        "expect_column_to_exist": {"column"},
        "expect_column_values_to_not_be_null": _COLUMN,
        "expect_column_values_to_be_null": _COLUMN,
        "expect_column_values_to_be_unique": _COLUMN,
        "expect_column_values_to_be_between": _COLUMN | _RANGE,
        "expect_column_values_to_be_in_set": _COLUMN | {"value_set"},
        "expect_column_values_to_not_be_in_set": _COLUMN | {"value_set"},
        "expect_column_value_lengths_to_equal": _COLUMN | {"value"},
        "expect_column_value_lengths_to_be_between": _COLUMN | _RANGE,
        "expect_column_mean_to_be_between": {"column"} | _RANGE,
        "expect_column_sum_to_be_between": {"column"} | _RANGE,
        "expect_column_proportion_of_non_null_values_to_be_between": {"column"} | _RANGE,
        "expect_column_unique_value_count_to_be_between": {"column"} | _RANGE,
        "expect_column_pair_values_a_to_be_greater_than_b": _PAIR | {"or_equal"},
        "expect_column_pair_values_to_be_equal": _PAIR,
        "expect_compound_columns_to_be_unique": {"column_list", "ignore_row_if"},
        "expect_table_row_count_to_be_between": _RANGE,
        "expect_no_rows": {"unexpected_rows_query"},
    }.items()
}


class SuiteError(Exception):
    """A suite is wrong; the message names the file and the place in it."""


class Expected(BaseModel):
    """One expectation of a suite, with the reason for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    expectation: str
    kwargs: dict[str, Any] = {}
    why: str = Field(min_length=10)
    severity: Literal["error", "warning"]
    blocking: bool
    # Told apart where a suite expects the same of one column twice; required for expect_no_rows.
    name: str | None = Field(default=None, pattern=IDENTIFIER)

    @model_validator(mode="after")
    def _known(self) -> Expected:
        arguments = EXPECTATIONS.get(self.expectation)
        if arguments is None:
            raise ValueError(
                f"unknown expectation {self.expectation!r}; known: {', '.join(EXPECTATIONS)}"
            )
        if extra := sorted(set(self.kwargs) - arguments):
            raise ValueError(f"{self.expectation} takes no {', '.join(extra)}")
        if self.blocking and self.severity != "error":
            raise ValueError("what stops the refresh has severity error")
        if self.expectation == "expect_no_rows":
            self._check_query()
        return self

    def _check_query(self) -> None:
        if self.name is None:
            raise ValueError("expect_no_rows needs a name")
        if "{batch}" not in self.kwargs.get("unexpected_rows_query", ""):
            raise ValueError("unexpected_rows_query reads the suite's table as {batch}")

    @property
    def check_name(self) -> str:
        """The check's name, unique within its suite."""
        if self.name is not None:
            return self.name
        return "__".join([self.expectation.removeprefix("expect_"), *self.columns])

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the arguments name."""
        named = [self.kwargs.get(argument) for argument in ("column", "column_A", "column_B")]
        return tuple(c for c in (*named, *self.kwargs.get("column_list", ())) if c)


class Suite(BaseModel):
    """Everything that is expected of one table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_name: str = Field(alias="schema", pattern=IDENTIFIER)
    table: str = Field(pattern=IDENTIFIER)
    description: str = Field(min_length=10)
    expectations: tuple[Expected, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Suite:
        counted = Counter(expected.check_name for expected in self.expectations)
        if twice := [name for name, count in counted.items() if count > 1]:
            raise ValueError(f"two checks named {', '.join(twice)}; give them a name")
        return self

    @property
    def name(self) -> str:
        """``<schema>/<table>``, the asset key of the table that is judged."""
        return f"{self.schema_name}/{self.table}"


def load_suites(directory: Path) -> list[Suite]:
    """Every ``<schema>/<table>.yaml`` below a directory, by name.

    Raises SuiteError naming the file and the place where it is not a suite.
    """
    return [_load(path) for path in sorted(directory.glob("*/*.yaml"))]


def _load(path: Path) -> Suite:
    try:
        content = read_yaml(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise SuiteError(f"{path}: {' '.join(str(error).split())}") from error
    try:
        suite = Suite.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise SuiteError(f"{path}: {place}: {problem['msg']}".replace(": : ", ": ")) from error
    if suite.name != f"{path.parent.name}/{path.stem}":
        raise SuiteError(f"{path}: suite {suite.name!r} must be the folder's and the file's name")
    return suite
