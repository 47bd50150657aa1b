"""What is watched for anomalies, read from ``dagster_project/anomalies.yaml`` and validated.

Belongs here: the shape of the declaration. Does not: measuring (``measures``) or judging.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from dagster_project.core.yaml_files import read_yaml

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Table = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]


class WatchError(Exception):
    """What is watched is declared wrongly, or is not in the warehouse; one line says where."""


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Thresholds(_Declared):
    """From when on a difference is an alarm. Days are days on which the store had rows."""

    # Before that a weekday was seen twice at most, and its noise is not known.
    minimum_days: int = Field(default=21, ge=14, le=180)
    # What chance alone may raise for each table; most of it goes to the row count.
    false_alarms_per_month: float = Field(default=0.7, gt=0, le=10)
    least_row_change: float = Field(default=0.25, gt=0)  # relative
    least_change: float = Field(default=0.5, gt=0)  # of amounts and distinct counts, relative
    least_share_change: float = Field(default=0.05, gt=0, lt=1)  # of shares, absolute
    late_days: int = Field(default=1, ge=1)  # later than usual, against the other stores
    # On an open day, by the median: a store with fewer is only missed, its measures are noise.
    least_rows: int = Field(default=20, ge=1)


class SaleDay(_Declared):
    """A day on which shops sell as on no other, by date or by the nth weekday of a month."""

    name: str = Field(min_length=3)
    countries: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")], ...]
    month: int = Field(ge=1, le=12)
    day: int | None = Field(default=None, ge=1, le=31)
    weekday: int | None = Field(default=None, ge=1, le=7)  # Monday = 1
    nth: int | None = Field(default=None, ge=1, le=5)
    first: int = 0  # the days that are felt, counted from the day itself
    last: int = 0

    @model_validator(mode="after")
    def _is_a_day(self) -> SaleDay:
        if (self.day is None) == (self.weekday is None or self.nth is None):
            raise ValueError("give either day, or weekday and nth")
        if self.first > self.last:
            raise ValueError("first is after last")
        return self

    def days(self, year: int) -> list[date]:
        """The days that are felt in a year; none where the month has no such day."""
        opening = date(year, self.month, 1)
        if self.day is not None:
            offset = self.day - 1
        else:
            offset = (self.weekday - opening.isoweekday()) % 7 + 7 * (self.nth - 1)
        found = opening + timedelta(days=offset)
        if found.month != self.month:
            return []
        return [found + timedelta(days=n) for n in range(self.first, self.last + 1)]


class Stores(_Declared):
    """Where a store's country is: stores of one country share holidays and are compared."""

    table: Table
    key: Name
    country: Name
    name: Name | None = None  # what people call it; its key without one


class Promotions(_Declared):
    """Where announced promotions are, first and last day."""

    table: Table
    starts_on: Name
    ends_on: Name
    longest_days: int = Field(default=28, ge=1)  # what runs longer is the usual state


class Watched(_Declared):
    """One table, judged per store and business day."""

    schema_name: Name = Field(alias="schema")
    table: Name
    why: str = Field(min_length=10)
    store: Name
    day: Name
    load: Name | None = None  # the load batch of a row, a key of ops.batch
    nulls: tuple[Name, ...] = ()  # missing where null
    keys: tuple[Name, ...] = ()  # missing where null or a reserved member, which is below zero
    distinct: tuple[Name, ...] = ()
    amounts: tuple[Name, ...] = ()
    # What makes a row itself whatever day and key it has: two days alike in this are one day twice.
    content: tuple[Name, ...] = ()
    discount: Name | None = None  # more rows with one than usual explain more rows
    thresholds: Thresholds | None = None

    @property
    def name(self) -> str:
        """``<schema>.<table>``."""
        return f"{self.schema_name}.{self.table}"

    @property
    def columns(self) -> set[str]:
        """Every column that is read."""
        named = {self.store, self.day, self.load, self.discount}
        named |= {*self.nulls, *self.keys, *self.distinct, *self.amounts, *self.content}
        return {column for column in named if column is not None}


class Watch(_Declared):
    """Everything that is watched."""

    judged_days: int = Field(default=35, ge=1)  # by a refresh, at most, back from the last day
    calendar: Table
    stores: Stores
    promotions: Promotions | None = None
    sale_days: tuple[SaleDay, ...] = ()
    thresholds: Thresholds = Thresholds()
    tables: tuple[Watched, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _tables_are_named_once(self) -> Watch:
        names = [watched.name for watched in self.tables]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} is watched twice")
        return self

    def thresholds_of(self, watched: Watched) -> Thresholds:
        """A table's own thresholds, else those of all."""
        return watched.thresholds or self.thresholds


def load_watch(path: Path) -> Watch:
    """What a YAML file declares; raises WatchError naming the file and the place in it."""
    try:
        content = read_yaml(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise WatchError(f"{path}: {' '.join(str(error).split())}") from error
    try:
        return Watch.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"]) or "file"
        raise WatchError(f"{path}: {place}: {problem['msg']}") from error
