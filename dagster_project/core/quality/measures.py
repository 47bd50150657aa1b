"""What Great Expectations asks of a table, as SQL that counts it.

Belongs here: one expression per metric, with the meaning that the library gives it. Does not: the
library, running anything, or queries that a suite spells out (``bundling``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dagster_project.core.feeds.sql import identifier

# Above it a number is compared as a double: a decimal of that many digits would not fit.
WIDEST = 1e15
UNORDERED = ("VARCHAR", "BOOLEAN")  # Great Expectations refuses to compare these with bounds
UNEXPECTED, KEPT = ".unexpected_count", ".filtered_row_count"


class UnmeasurableError(ValueError):
    """A metric has no meaning for a column of this type."""


@dataclass(frozen=True)
class Measure:
    """One number about a table: an aggregate over its rows, or a statement of its own."""

    sql: str
    parameters: tuple[Any, ...] = ()
    is_aggregate: bool = True


@dataclass(frozen=True)
class Asked:
    """A metric that Great Expectations wants to know, with its arguments."""

    name: str
    domain: Mapping[str, Any]  # column, column_A, column_B, column_list, ignore_row_if
    values: Mapping[str, Any]  # bounds, sets, lengths


@dataclass(frozen=True)
class Judged:
    """The table that is judged."""

    schema: str
    name: str
    types: Mapping[str, str]  # of its columns, as DuckDB writes them

    @property
    def full_name(self) -> str:
        """Schema and table, both validated identifiers."""
        return f"{self.schema}.{self.name}"


def measure(asked: Asked, table: Judged) -> Measure:
    """The SQL of one metric; nulls count as the library counts them.

    Raises UnmeasurableError for bounds on text and for a metric that no suite may ask for.
    """
    way = MEASURES.get(asked.name)
    if way is None:
        raise UnmeasurableError(f"no measure of {asked.name}")
    return way(asked, table)


def _column(asked: Asked) -> str:
    return identifier(asked.domain["column"])


def _number(value: Any) -> Any:
    """A bound as the column's own kind of number; as a double it would turn every row into one."""
    if isinstance(value, float) and abs(value) < WIDEST:
        return int(value) if value.is_integer() else Decimal(repr(value))
    return value


def _where(condition: str, *parameters: Any) -> Measure:
    return Measure(f"count(*) filter (where {condition})", parameters)


def _count(asked: Asked, table: Judged) -> Measure:
    return Measure("count(*)")


def _nulls(asked: Asked, table: Judged) -> Measure:
    return Measure(f"count(*) - count({_column(asked)})")


def _known(asked: Asked, table: Judged) -> Measure:
    return Measure(f"count({_column(asked)})")


def _outside(value: str, asked: Asked) -> Measure:
    """Rows whose value is beyond the bounds; a null is beyond nothing."""
    beyond, bounds = [], []
    if (low := asked.values.get("min_value")) is not None:
        beyond.append(f"{value} {'<=' if asked.values.get('strict_min') else '<'} ?")
        bounds.append(_number(low))
    if (high := asked.values.get("max_value")) is not None:
        beyond.append(f"{value} {'>=' if asked.values.get('strict_max') else '>'} ?")
        bounds.append(_number(high))
    return _where(" or ".join(beyond), *bounds)


def _between(asked: Asked, table: Judged) -> Measure:
    kind = table.types.get(asked.domain["column"], "")
    if kind.startswith(UNORDERED):
        raise UnmeasurableError(f"a {kind.lower()} has no bounds")
    return _outside(_column(asked), asked)


def _length_between(asked: Asked, table: Judged) -> Measure:
    return _outside(f"length({_column(asked)})", asked)


def _length_other(asked: Asked, table: Judged) -> Measure:
    return _where(f"length({_column(asked)}) != ?", _number(asked.values["value"]))


def _set(asked: Asked) -> tuple[str, tuple[Any, ...]]:
    """Placeholders of the values and the values; a null among them matches nothing."""
    wanted = tuple(value for value in asked.values["value_set"] if value is not None)
    return ", ".join("?" * len(wanted)), wanted


def _not_in_set(asked: Asked, table: Judged) -> Measure:
    places, wanted = _set(asked)
    if not wanted:
        return _known(asked, table)
    return _where(f"{_column(asked)} not in ({places})", *wanted)


def _in_set(asked: Asked, table: Judged) -> Measure:
    places, wanted = _set(asked)
    return _where(f"{_column(asked)} in ({places})", *wanted) if wanted else _where("false")


def _repeated(columns: str, known: str, table: Judged) -> Measure:
    """Rows whose values another row has too; grouping is a tenth of counting by a window."""
    groups = (
        f"select count(*) as row_count from {table.full_name} where {known} "
        f"group by {columns} having count(*) > 1"
    )
    return Measure(f"select coalesce(sum(row_count), 0) from ({groups})", is_aggregate=False)


def _not_unique(asked: Asked, table: Judged) -> Measure:
    column = _column(asked)
    return _repeated(column, f"{column} is not null", table)


def _not_unique_together(asked: Asked, table: Judged) -> Measure:
    """Rows with a null in one of the columns equal no other, whatever ``ignore_row_if`` says."""
    columns = [identifier(name) for name in asked.domain["column_list"]]
    known = " and ".join(f"{column} is not null" for column in columns)
    return _repeated(", ".join(columns), known, table)


def _pair(asked: Asked) -> tuple[str, str]:
    return identifier(asked.domain["column_A"]), identifier(asked.domain["column_B"])


def _not_greater(asked: Asked, table: Judged) -> Measure:
    left, right = _pair(asked)
    return _where(f"{left} {'<' if asked.values.get('or_equal') else '<='} {right}")


def _not_equal(asked: Asked, table: Judged) -> Measure:
    """Unlike a comparison of sizes, a value beside a null is unequal, unless it is left out."""
    left, right = _pair(asked)
    return _where(f"({_kept(asked)}) and ({left} = {right}) is not true")


def _kept(asked: Asked) -> str:
    """The rows that ``ignore_row_if`` leaves."""
    named = asked.domain.get("column_list") or [asked.domain["column_A"], asked.domain["column_B"]]
    known = [f"{identifier(name)} is not null" for name in named]
    mode = asked.domain.get("ignore_row_if")
    if mode in {"both_values_are_missing", "all_values_are_missing"}:
        return " or ".join(known)
    if mode in {"either_value_is_missing", "any_value_is_missing"}:
        return " and ".join(known)
    return "true"


def _kept_count(asked: Asked, table: Judged) -> Measure:
    return _where(_kept(asked))


def _mean(asked: Asked, table: Judged) -> Measure:
    """The sign keeps days and times out, which have an average, but no number to compare with."""
    return Measure(f"avg(+{_column(asked)})")


def _sum(asked: Asked, table: Judged) -> Measure:
    return Measure(f"sum({_column(asked)})")


def _known_share(asked: Asked, table: Judged) -> Measure:
    return Measure(f"coalesce(count({_column(asked)}) / nullif(count(*), 0), 0)")


def _distinct(asked: Asked, table: Judged) -> Measure:
    return Measure(f"count(distinct {_column(asked)})")


MEASURES: dict[str, Callable[[Asked, Judged], Measure]] = {
    "table.row_count": _count,
    f"column_values.nonnull{UNEXPECTED}": _nulls,
    f"column_values.null{UNEXPECTED}": _known,
    f"column_values.unique{UNEXPECTED}": _not_unique,
    f"column_values.between{UNEXPECTED}": _between,
    f"column_values.in_set{UNEXPECTED}": _not_in_set,
    f"column_values.not_in_set{UNEXPECTED}": _in_set,
    f"column_values.value_length.equals{UNEXPECTED}": _length_other,
    f"column_values.value_length.between{UNEXPECTED}": _length_between,
    "column.mean": _mean,
    "column.sum": _sum,
    "column.non_null_proportion": _known_share,
    "column.distinct_values.count": _distinct,
    f"column_pair_values.a_greater_than_b{UNEXPECTED}": _not_greater,
    f"column_pair_values.a_greater_than_b{KEPT}": _kept_count,
    f"column_pair_values.equal{UNEXPECTED}": _not_equal,
    f"column_pair_values.equal{KEPT}": _kept_count,
    f"compound_columns.unique{UNEXPECTED}": _not_unique_together,
    f"compound_columns.unique{KEPT}": _kept_count,
}
