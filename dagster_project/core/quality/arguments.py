"""What a suite may expect, and with which arguments.

Belongs here: every expectation there is, its arguments, and what is wrong with some. Does not:
files, or columns of tables (``known_columns``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from dagster_project.core.quality.places import Wrong, near

Arguments = Mapping[str, Any]
# Each of these runs as SQL in the warehouse and yields counts; expectations whose result is a value
# of the data are left out on purpose.
_COLUMN = {"column", "mostly"}
_RANGE = {"min_value", "max_value", "strict_min", "strict_max"}
_PAIR = {"column_A", "column_B", "ignore_row_if", "mostly"}
QUERY = "unexpected_rows_query"
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
        "expect_no_rows": {QUERY},
    }.items()
}
OPTIONAL = {"mostly", "ignore_row_if", "or_equal"} | _RANGE
VALUES_BETWEEN = "expect_column_values_to_be_between"  # of any order; all other ranges are numbers
WHOLE = frozenset(
    {
        "expect_column_value_lengths_to_be_between",
        "expect_column_unique_value_count_to_be_between",
        "expect_table_row_count_to_be_between",
    }
)
IGNORED = {
    "column_A": ("both_values_are_missing", "either_value_is_missing", "neither"),
    "column_list": ("all_values_are_missing", "any_value_is_missing", "never"),
}


def wrong_arguments(expectation: str, arguments: Arguments) -> Iterator[Wrong]:
    """What is wrong with the arguments of an expectation, at places below the expectation."""
    known = EXPECTATIONS.get(expectation)
    if known is None:
        hint = near(expectation, EXPECTATIONS) or f"; known: {', '.join(EXPECTATIONS)}"
        yield Wrong(("expectation",), f"unknown expectation {expectation!r}{hint}")
        return
    missing = known - OPTIONAL - set(arguments)
    for name in sorted(set(arguments) - known, key=str):
        hint = near(name, known)
        missing -= {one for one in missing if hint == near(one, [one])}
        hint = hint or f"; it takes {', '.join(sorted(known))}"
        yield Wrong(("kwargs",), f"{expectation} takes no {name}{hint}", str(name))
    for name in sorted(missing):
        yield Wrong(("kwargs",), f"{expectation} needs {name}")
    for name in sorted(known & set(arguments)):
        complaint = _KINDS[name](arguments[name])
        if complaint:
            yield Wrong(("kwargs", name), f"{complaint}, not {arguments[name]!r}")
    if known >= _RANGE:
        yield from _wrong_range(expectation, arguments)
    yield from _wrong_ignoring(known, arguments)


def _wrong_range(expectation: str, arguments: Arguments) -> Iterator[Wrong]:
    bounds = {name: arguments.get(name) for name in ("min_value", "max_value")}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    if not given:
        yield Wrong(("kwargs",), f"{expectation} needs min_value or max_value")
    for name, bound in given.items():
        if complaint := _wrong_bound(expectation, bound):
            yield Wrong(("kwargs", name), f"{complaint}, not {bound!r}")
    low, high = (_ordered(bounds[name]) for name in ("min_value", "max_value"))
    if low is None or high is None:
        return
    if isinstance(low, datetime) is not isinstance(high, datetime):
        yield Wrong(("kwargs", "max_value"), "min_value and max_value are of two kinds")
    elif low > high:
        yield Wrong(("kwargs", "min_value"), "min_value is above max_value")


def _wrong_bound(expectation: str, bound: Any) -> str | None:
    if expectation == VALUES_BETWEEN:
        return None if _ordered(bound) is not None else "a bound is a number or a date"
    if expectation in WHOLE:
        return None if _is_whole(bound) else "a bound of a count is a whole number, 0 or more"
    return None if _is_number(bound) else "a bound is a number"


def _ordered(bound: Any) -> Any:
    """A bound as a number or a time without zone; None where it is neither."""
    if _is_number(bound):
        return bound
    if isinstance(bound, str):
        try:
            bound = datetime.fromisoformat(bound)
        except ValueError:
            return None
    if isinstance(bound, datetime):
        return bound.replace(tzinfo=None)
    return datetime(bound.year, bound.month, bound.day) if isinstance(bound, date) else None


def _wrong_ignoring(known: frozenset[str], arguments: Arguments) -> Iterator[Wrong]:
    for column, modes in IGNORED.items():
        mode = arguments.get("ignore_row_if", modes[0])
        if column in known and mode not in modes:
            message = f"ignore_row_if is one of {', '.join(modes)}, not {mode!r}{near(mode, modes)}"
            yield Wrong(("kwargs", "ignore_row_if"), message)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return _is_number(value) and value == int(value) and value >= 0


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) and value else "it is a name"


def _names(value: Any) -> str | None:
    several = isinstance(value, list) and len(value) > 1
    texts = several and all(isinstance(name, str) and name for name in value)
    return None if texts and len(set(value)) == len(value) else "it is a list of two or more names"


def _scalars(value: Any) -> str | None:
    """None of it may be null: a null is in no set, and in none is it missing."""
    plain = (str, int, float, bool, date)
    good = isinstance(value, list) and value and all(isinstance(one, plain) for one in value)
    return None if good else "it is a list of values"


def _share(value: Any) -> str | None:
    return None if _is_number(value) and 0 < value <= 1 else "it is a share above 0, at most 1"


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "it is true or false"


def _length(value: Any) -> str | None:
    return None if _is_whole(value) else "it is a whole number, 0 or more"


def _query(value: Any) -> str | None:
    if not isinstance(value, str):
        return "it is a query"
    try:
        filled = value.format(batch="")
    except (KeyError, IndexError, ValueError):
        return "braces that are not {batch} are doubled"
    return None if filled != value and "{batch}" in value else (
        f"{QUERY} reads the suite's table as {{batch}}"
    )  # fmt: skip


def _any(value: Any) -> str | None:
    """Judged with its neighbours."""
    return None


_KINDS: dict[str, Callable[[Any], str | None]] = {
    "column": _text,
    "column_A": _text,
    "column_B": _text,
    "column_list": _names,
    "mostly": _share,
    "min_value": _any,
    "max_value": _any,
    "strict_min": _flag,
    "strict_max": _flag,
    "value_set": _scalars,
    "value": _length,
    "ignore_row_if": _any,
    "or_equal": _flag,
    QUERY: _query,
}
