"""Expectation suites: what a person believes about a table, read from YAML and validated.

Belongs here: the shape of ``expectations/<schema>/<table>.yaml``, and telling all that is wrong
with some. Does not: running them (``running``), or what a table holds (``known_columns``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from dagster_project.core.quality.arguments import wrong_arguments
from dagster_project.core.quality.places import Document, Place, Wrong, near, told

IDENTIFIER = r"^[a-z][a-z0-9_]*$"
NO_ROWS = "expect_no_rows"
COLUMN_ARGUMENTS = ("column", "column_A", "column_B")


class SuiteError(Exception):
    """Suites are wrong; a line for each mistake, with file, line and place."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


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
        if found := list(_wrong_expected(self.model_dump())):
            raise ValueError("; ".join(wrong.message for wrong in found))
        return self

    @property
    def check_name(self) -> str:
        """The check's name, unique within its suite."""
        return _check_name(self.expectation, self.kwargs, self.name)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the arguments name."""
        return _columns(self.kwargs)


class Suite(BaseModel):
    """Everything that is expected of one table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_name: str = Field(alias="schema", pattern=IDENTIFIER)
    table: str = Field(pattern=IDENTIFIER)
    description: str = Field(min_length=10)
    expectations: tuple[Expected, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Suite:
        if twice := list(_named_twice(expected.model_dump() for expected in self.expectations)):
            raise ValueError("; ".join(wrong.message for wrong in twice))
        return self

    @property
    def name(self) -> str:
        """``<schema>/<table>``, the asset key of the table that is judged."""
        return f"{self.schema_name}/{self.table}"


class SuiteFile:
    """One file, read: its suite, or what is wrong with it."""

    def __init__(self, path: Path, shown: Path) -> None:
        self.suite: Suite | None = None
        self.text = ""
        self._shown = shown.as_posix()
        self._found: list[tuple[int, str]] = []
        self._document: Document | None = None
        try:
            self.text = path.read_text("utf-8")
            self._document = Document(self.text)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            self._found.append(_unreadable(error))
            return
        for line, place in self._document.repeated:
            self._found.append((line, f"{told(place)}: the key is given twice"))
        self._validate(path)

    @property
    def mistakes(self) -> list[str]:
        """A line for each: file, line, place, what is wrong."""
        return [f"{self._shown}:{line}: {message}" for line, message in sorted(self._found)]

    @property
    def table(self) -> tuple[str, str] | None:
        """Schema and table, None where the file does not name them."""
        found = str(self._content.get("schema")), str(self._content.get("table"))
        named = all(re.fullmatch(IDENTIFIER, name) for name in found)
        return found if named and {"schema", "table"} <= set(self._content) else None

    @property
    def sound(self) -> list[tuple[int, Expected]]:
        """The expectations in which nothing is wrong, with their positions."""
        if self.suite is not None:
            return list(enumerate(self.suite.expectations))
        given = self._content.get("expectations")
        made = [_expected(one) for one in given] if isinstance(given, list) else []
        return [(position, one) for position, one in enumerate(made) if one is not None]

    def tell(self, wrongs: Iterable[Wrong]) -> None:
        """Keep mistakes with their lines."""
        for wrong in wrongs:
            line = self._document.line(wrong) if self._document else 1
            place = f"{told(wrong.place)}: " if wrong.place else ""
            self._found.append((line, f"{place}{wrong.message}"))

    @property
    def _content(self) -> dict[str, Any]:
        content = self._document.content if self._document else None
        return content if isinstance(content, dict) else {}

    def _validate(self, path: Path) -> None:
        content = self._document.content if self._document else None
        try:
            self.suite = Suite.model_validate(content)
        except ValidationError as error:
            self.tell(_wrong_fields(error))
            self.tell(_wrong_content(self._content))
        here = f"{path.parent.name}/{path.stem}"
        if self.table is not None and "/".join(self.table) != here:
            key = "schema" if self.table[0] != path.parent.name else "table"
            name = "/".join(self.table)
            message = f"suite {name!r} must be the folder's and the file's name, {here}"
            self.tell([Wrong((key,), message)])


def read_suites(directory: Path) -> list[SuiteFile]:
    """Every ``<schema>/<table>.yaml`` below a directory, by name, each with what is wrong with it.

    A YAML file anywhere else is a mistake: nobody would notice that it is not read.
    """
    shown_from = directory.parent if directory.is_absolute() else Path()
    right = set(directory.glob("*/*.yaml"))
    found = []
    for path in sorted(p for p in directory.rglob("*") if p.suffix in {".yaml", ".yml"}):
        file = SuiteFile(path, path.relative_to(shown_from))
        if path not in right:
            file.tell([Wrong((), "a suite is <schema>/<table>.yaml")])
        found.append(file)
    return found


def _unreadable(error: Exception) -> tuple[int, str]:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or " ".join(str(error).split())
    return (mark.line + 1 if mark else 1), problem


def _expected(given: Any) -> Expected | None:
    try:
        return Expected.model_validate(given)
    except ValidationError:
        return None


def _columns(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    several = arguments.get("column_list")
    named = [arguments.get(argument) for argument in COLUMN_ARGUMENTS]
    return tuple(c for c in (*named, *(several if isinstance(several, list) else ())) if c)


def _check_name(expectation: str, arguments: Mapping[str, Any], name: str | None) -> str:
    if name is not None:
        return name
    return "__".join([expectation.removeprefix("expect_"), *map(str, _columns(arguments))])


def _wrong_expected(expected: Mapping[str, Any]) -> Iterator[Wrong]:
    """What is wrong with one expectation, beyond the type of each of its keys."""
    expectation, arguments = expected.get("expectation"), expected.get("kwargs", {})
    if isinstance(expectation, str) and isinstance(arguments, dict):
        yield from wrong_arguments(expectation, arguments)
    if expected.get("blocking") is True and expected.get("severity") == "warning":
        yield Wrong(("severity",), "what stops the refresh has severity error")
    if expectation == NO_ROWS and expected.get("name") is None:
        yield Wrong((), f"{NO_ROWS} needs a name")


def _named_twice(expectations: Iterable[Any]) -> Iterator[Wrong]:
    seen: set[str] = set()
    for position, one in enumerate(expectations):
        if not isinstance(one, dict) or not isinstance(one.get("kwargs", {}), dict):
            continue
        name = _check_name(str(one.get("expectation")), one.get("kwargs", {}), one.get("name"))
        if name in seen:
            place: Place = ("expectations", position)
            yield Wrong(place, f"two checks named {name}; give them a name")
        seen.add(name)


def _wrong_content(content: Mapping[str, Any]) -> Iterator[Wrong]:
    """What pydantic does not look at where a type is wrong already."""
    expectations = content.get("expectations")
    if not isinstance(expectations, list):
        return
    for position, one in enumerate(expectations):
        if isinstance(one, dict):
            for wrong in _wrong_expected(one):
                place = ("expectations", position, *wrong.place)
                yield Wrong(place, wrong.message, wrong.key, wrong.word)
    yield from _named_twice(expectations)


def _wrong_fields(error: ValidationError) -> Iterator[Wrong]:
    """Pydantic's own complaints; what the validators here say is said by ``_wrong_content``.

    It finds a list of wrong expectations empty, beside saying what is wrong with each.
    """
    problems = error.errors()
    inside = any(len(problem["loc"]) > 1 for problem in problems)
    for problem in problems:
        if problem["type"] != "value_error" and not (inside and problem["type"] == "too_short"):
            yield _wrong_field(problem)


def _wrong_field(problem: ErrorDetails) -> Wrong:
    place: Place = problem["loc"]
    if problem["type"] == "extra_forbidden":
        model = Expected if "expectations" in place else Suite
        names = {field.alias or name for name, field in model.model_fields.items()}
        hint = near(place[-1], names) or f"; there are {', '.join(sorted(names))}"
        return Wrong(place, f"unknown key{hint}")
    if problem["type"] == "model_type":
        return Wrong(place, "expected keys and values")
    return Wrong(place, problem["msg"])
