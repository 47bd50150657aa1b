"""An expectation in words, for results and pages.

Belongs here: one sentence per kind, from the declaration alone. Does not: any value of the data.
Great Expectations' own sentences take 45 milliseconds each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dagster_project.core.quality.suites import Expected

Arguments = Mapping[str, Any]
IGNORED = {
    "both_values_are_missing": " where one of them is known",
    "either_value_is_missing": " where both are known",
    "any_value_is_missing": " where all are known",
    "all_values_are_missing": " where one of them is known",
}


def statement(expected: Expected) -> str:
    """What is expected, as one sentence in the singular of its column."""
    told = _SENTENCES[expected.expectation](expected.kwargs)
    mostly = expected.kwargs.get("mostly", 1)
    often = f", for at least {_number(100 * mostly)} % of the rows" if mostly != 1 else ""
    return f"{told}{often}" if expected.expectation == "expect_no_rows" else f"{told}{often}."


def _number(value: Any) -> str:
    """Without the noise of binary fractions, thousands apart."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{round(value, 9):,.9f}".rstrip("0").rstrip(".")


def _range(arguments: Arguments) -> str:
    low, high = arguments.get("min_value"), arguments.get("max_value")
    told = []
    if low == high:
        return f"exactly {_number(low)}"
    if low is not None:
        told.append(f"{'above' if arguments.get('strict_min') else 'at least'} {_number(low)}")
    if high is not None:
        told.append(f"{'below' if arguments.get('strict_max') else 'at most'} {_number(high)}")
    return " and ".join(told)


def _set(arguments: Arguments) -> str:
    return ", ".join("null" if v is None else str(v) for v in arguments["value_set"]) or "nothing"


def _pair(words: str) -> Callable[[Arguments], str]:
    def told(arguments: Arguments) -> str:
        kept = IGNORED.get(arguments.get("ignore_row_if", "both_values_are_missing"), "")
        equal = " or equal to" if arguments.get("or_equal") else ""
        return f"{arguments['column_A']} is {words}{equal} {arguments['column_B']}{kept}"

    return told


def _about(words: str) -> Callable[[Arguments], str]:
    """A sentence with the arguments' own words in it."""

    def told(arguments: Arguments) -> str:
        length = _number(arguments.get("value"))
        return words.format(
            column=arguments.get("column"),
            range=_range(arguments),
            set=_set(arguments) if "value_set" in arguments else "",
            length=length,
        )

    return told


def _together(arguments: Arguments) -> str:
    return f"No two rows have the same {', '.join(arguments['column_list'])}"


def _no_rows(arguments: Arguments) -> str:
    return f"No row comes from: {' '.join(arguments['unexpected_rows_query'].split())}"


_SENTENCES: dict[str, Callable[[Arguments], str]] = {
    "expect_column_to_exist": _about("{column} is a column"),
    "expect_column_values_to_not_be_null": _about("{column} is known"),
    "expect_column_values_to_be_null": _about("{column} is null"),
    "expect_column_values_to_be_unique": _about("No two rows have the same {column}"),
    "expect_column_values_to_be_between": _about("{column} is {range}"),
    "expect_column_values_to_be_in_set": _about("{column} is one of: {set}"),
    "expect_column_values_to_not_be_in_set": _about("{column} is none of: {set}"),
    "expect_column_value_lengths_to_equal": _about("{column} has {length} characters"),
    "expect_column_value_lengths_to_be_between": _about("{column} has {range} characters"),
    "expect_column_mean_to_be_between": _about("The mean of {column} is {range}"),
    "expect_column_sum_to_be_between": _about("The sum of {column} is {range}"),
    "expect_column_proportion_of_non_null_values_to_be_between": _about(
        "The share of rows whose {column} is known is {range}"
    ),
    "expect_column_unique_value_count_to_be_between": _about(
        "The number of different values of {column} is {range}"
    ),
    "expect_column_pair_values_a_to_be_greater_than_b": _pair("greater than"),
    "expect_column_pair_values_to_be_equal": _pair("equal to"),
    "expect_compound_columns_to_be_unique": _together,
    "expect_table_row_count_to_be_between": _about("The number of rows is {range}"),
    "expect_no_rows": _no_rows,
}
