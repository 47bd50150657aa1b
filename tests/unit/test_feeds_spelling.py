"""How amounts, days and moments are read by the dialect that a feed declares."""

import duckdb
import pytest

from dagster_project.core.declarations import Dialect
from dagster_project.core.feeds.spelling import macros


def read(function: str, text: str | None, **dialect) -> str | None:
    with duckdb.connect() as engine:
        for statement in macros(Dialect(**dialect)):
            engine.execute(statement)
        return engine.execute(f"select {function}(?)", [text]).fetchone()[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("￥１，２３４．５０", "1234.50"),
        ("`28.16", "28.16"),
        ("28.16\t", "28.16"),
        ("(3.5)", "-3.5"),
        ("3.5-", "-3.5"),
        ("-$2.16", "-2.16"),
        ("$ 1,000,000", "1000000"),
        ("1,00,000.5", "100000.5"),
        ("۱۲٫", "unreadable: 12٫"),
        ("1,23", "unreadable: 1,23"),
        ("12 34", "unreadable: 12 34"),
        ("1.2.3", "unreadable: 1.2.3"),
        ("abc", "unreadable: abc"),
        ("", None),
        (None, None),
    ],
)
def test_amount_takes_off_what_is_around_a_number_and_nothing_else(text, value):
    assert read("amount", text, thousands_mark=",") == value


def test_without_a_thousands_mark_a_comma_is_no_part_of_a_number():
    assert read("amount", "1,234") == "unreadable: 1,234"
    assert read("amount", "1 234,5", decimal_mark=",", thousands_mark=" ") == "1234.5"


@pytest.mark.parametrize(
    ("text", "formats", "value"),
    [
        ("03/08/19", ("%d/%m/%y",), "2019-08-03"),
        ("03/08/19", ("%m/%d/%y",), "2019-03-08"),
        ("13/08/19", ("%m/%d/%y",), "unreadable: 13/08/19"),
        ("۰۳/۰۸/۱۹", ("%d/%m/%y",), "2019-08-03"),
        ("2019-08-03", ("%d/%m/%y",), "unreadable: 2019-08-03"),
        ("2019-08-03", (), "2019-08-03"),
        (" ", ("%d/%m/%y",), None),
    ],
)
def test_a_day_is_read_by_the_declared_format_alone(text, formats, value):
    assert read("day", text, date_formats=formats) == value


def test_a_moment_keeps_its_seconds():
    text = "11/15/2017 09:18:15 PM"
    formats = ("%m/%d/%Y %I:%M:%S %p",)
    assert read("moment", text, timestamp_formats=formats) == "2017-11-15 21:18:15"


def test_every_value_of_a_repeated_element_is_found():
    element = '{"Tax/Amount": "1", "Tax#2/Amount": "2", "Tax#2/Rate": "9", "Tax#10/Amount": "3"}'
    with duckdb.connect() as engine:
        for statement in macros(Dialect()):
            engine.execute(statement)
        found = engine.execute("select all_of(?::json, 'Tax/Amount')", [element]).fetchone()[0]
    assert found == ["1", "2", "3"]
