"""Audiences: who may see which classes, stores and tables of the marts.

Belongs here: the policy file and what it permits. Does not: reading a mart (``tables``), copying
a row (``publication``). Whatever the file does not grant stays in the private warehouse.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from dagster_project.core.declarations import IDENTIFIER, Classification
from dagster_project.core.home import PACKAGE, Home
from dagster_project.core.publishing.errors import PublicationError
from dagster_project.core.yaml_files import read_yaml

FILE = "audiences.yaml"
# What never leaves the private file, whatever a policy says.
NEVER = frozenset({Classification.PERSONAL, Classification.SENSITIVE, Classification.CARD})
RECIPIENT = "recipient"  # who has one is a partner, to whom extracts are given (``sharing``)
STORE = re.compile(r"^[^/]+/[^/]+$")
STORE_COLUMNS = ("store_durable_key", "store_key")


class Audience(BaseModel):
    """One audience = one published file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str = Field(min_length=1)
    classes: frozenset[Classification]
    # ``sender/store code`` of the stores whose rows it gets; None: rows of all stores.
    stores: tuple[str, ...] | None = None
    shared: frozenset[str] = frozenset()
    without_columns: frozenset[str] = frozenset()

    @field_validator("name")
    @classmethod
    def _file_name(cls, value: str) -> str:
        if not re.match(IDENTIFIER, value):
            raise ValueError("an audience's name is lower snake case")
        return value

    @field_validator("classes")
    @classmethod
    def _publishable(cls, value: frozenset[Classification]) -> frozenset[Classification]:
        if refused := sorted(one.value for one in value & NEVER):
            raise ValueError(f"{', '.join(refused)} columns are never published")
        return value

    @field_validator("stores")
    @classmethod
    def _named_with_sender(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if bad := [one for one in value or () if not STORE.match(one)]:
            raise ValueError(f"{', '.join(bad)}: a store is written sender/store_code")
        return value

    @property
    def is_published(self) -> bool:
        """Whether it is a file of its own, and not merely a pattern for others."""
        return self.stores != ()

    def sees_rows(self, table: str, columns: tuple[str, ...]) -> bool:
        """Whether any row of a table (``schema.table``) is for this audience."""
        return self.stores is None or table in self.shared or store_column(columns) is not None

    def is_of_stores(self, table: str) -> bool:
        """Whether the audience gets only the rows of its stores."""
        return self.stores is not None and table not in self.shared


def store_column(columns: tuple[str, ...]) -> str | None:
    """The column by which a table's rows belong to stores, None where it has none."""
    return next((column for column in STORE_COLUMNS if column in columns), None)


def load_audiences(home: Home) -> dict[str, Audience]:
    """Every audience by name, patterns included: the shipped ones, then the home's own.

    Raises PublicationError naming file, audience and what does not fit.
    """
    given, origin = read_policies(home)
    return {
        name: _audience(name, given, origin[name])
        for name, settings in given.items()
        if RECIPIENT not in settings
    }


def read_policies(home: Home) -> tuple[dict[str, dict[str, Any]], dict[str, Path]]:
    """What the policy files say, by name, and which of them says it.

    Raises PublicationError where one is no policy.
    """
    given: dict[str, Any] = {}
    origin: dict[str, Path] = {}
    for path in (PACKAGE / FILE, home.root / FILE):
        content = _read(path)
        given |= content
        origin |= dict.fromkeys(content, path)
    return given, origin


def audience_of(home: Home, name: str) -> Audience:
    """The audience of that name; raises PublicationError where none is published under it."""
    known = {one.name: one for one in load_audiences(home).values() if one.is_published}
    if name not in known:
        raise PublicationError(f"unknown audience {name!r}; known: {', '.join(sorted(known))}")
    return known[name]


def published_audiences(home: Home) -> list[str]:
    """Names of the audiences that have a file, the analyst's first."""
    names = [one.name for one in load_audiences(home).values() if one.is_published]
    return sorted(names, key=lambda name: (name != "analyst", name))


def _read(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        return {}
    try:
        content = read_yaml(path.read_text("utf-8")) or {}
    except yaml.YAMLError as error:
        raise PublicationError(f"{path}: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not all(isinstance(v, dict) for v in content.values()):
        raise PublicationError(f"{path}: expected audiences by name, each with its settings")
    return content


def _audience(name: str, given: Mapping[str, Any], path: Path) -> Audience:
    settings = dict(given[name])
    pattern = settings.pop("like", None)
    if pattern is not None:
        if pattern not in given or "like" in given[pattern]:
            raise PublicationError(f"{path}: {name}: no pattern {pattern!r} to be like")
        settings = {**given[pattern], **settings}
    try:
        return Audience(**{**settings, "name": name})
    except ValidationError as error:
        raise PublicationError(f"{path}: {name}: {first_problem(error)}") from error


def first_problem(error: ValidationError) -> str:
    """The first thing that does not fit, with its place, in one line."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else str(first["msg"])
