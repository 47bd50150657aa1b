"""What columns hold: types, marks, order of days, identifiers, whose business, keys."""

from __future__ import annotations

import pytest

from dagster_project.core.declarations import FieldType
from dagster_project.core.proposing.columns import (
    Column,
    find_spelling,
    propose_column,
    values_of,
)
from dagster_project.core.proposing.natural_keys import find_key

CARDS = ["4111111111111111", "5555 5555 5555 4444", "378282246310005", "6037-9900-0000-0006"]
WORDS = ["milk", "tea", "bread"]


def column(name: str, cells: list[str], *others: list[str]) -> Column:
    """The column as proposed, where others of the file may hold the evidence."""
    names = [name, *(f"other{place}" for place in range(len(others)))]
    length = max(map(len, (cells, *others)))
    padded = [[*one, *[""] * (length - len(one))] for one in (cells, *others)]
    values = values_of(names, zip(*padded, strict=True))
    return propose_column(values[0], find_spelling(values))


def says(found: Column, words: str) -> bool:
    return any(words in note.evidence and note.is_open for note in found.notes)


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("qty", ["1", "-2", "30"], FieldType.INTEGER),
        ("price", ["1.50", "-0.5", "30"], FieldType.MONEY),
        ("rate", ["0.14401", "1.12345678"], FieldType.RATE),
        ("day", ["2019-08-03", "2019-08-04"], FieldType.DATE),
        ("at", ["2019-08-03 10:00:00", "2019-08-03T11:30:00Z"], FieldType.TIMESTAMP),
        ("is_member", ["true", "False"], FieldType.BOOLEAN),
        ("shop", WORDS, FieldType.TEXT),
        ("code", ["007", "010"], FieldType.TEXT),
        ("visitor", ["7377648119348530123", "1234567890123456789"], FieldType.TEXT),
        ("zip", ["10115", "80331"], FieldType.TEXT),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_type_is_that_of_every_value(name: str, cells: list[str], kind: FieldType) -> None:
    assert column(name, cells).type is kind


def test_numbers_as_floats_beside_blanks_are_identifiers_without_their_fraction() -> None:
    found = column("CustomerID", ["17850.0", "", "13047.0"])
    assert found.type is FieldType.TEXT
    assert found.expression == "regexp_replace(\"CustomerID\", '[.]0\\s*$', '')"


@pytest.mark.parametrize(
    ("cells", "marks"),
    [
        (["1.234,56", "7,10"], (",", ".")),
        (["1,234.56", "7.10"], (".", ",")),
        (["1 234,56", "7,1"], (",", " ")),
        (["3,5", "12,25"], (",", None)),
        (["$1,234.50", "$7.00"], (".", ",")),
        (["1.5", "2"], (".", None)),
    ],
)
def test_marks_are_proved_by_a_number_that_reads_one_way(
    cells: list[str], marks: tuple[str, str | None]
) -> None:
    found = find_spelling(values_of(["amount"], [[cell] for cell in cells]))
    assert (found.decimal_mark, found.thousands_mark) == marks


def test_a_number_that_reads_two_ways_is_asked() -> None:
    found = find_spelling(values_of(["amount"], [["1,234"], ["5,678"]]))
    assert [note.is_open for note in found.notes] == [True]


@pytest.mark.parametrize(
    ("cells", "formats"),
    [
        (["03/08/19", "25/08/19"], ("%d/%m/%y",)),
        (["03/08/2019", "08/25/2019"], ("%m/%d/%Y",)),
        (["3.8.2019", "25.8.2019"], ("%d.%m.%Y",)),
        (["03-Aug-2019"], ("%d-%b-%Y",)),
        (["2019年8月3日"], ("%Y年%m月%d日",)),
        (["20190803", "20190904"], ("%Y%m%d",)),
    ],
)
def test_the_order_of_days_is_proved_by_one_above_twelve(
    cells: list[str], formats: tuple[str, ...]
) -> None:
    found = column("date", cells)
    assert (found.type, found.date_formats) == (FieldType.DATE, formats)


def test_another_column_may_prove_the_order() -> None:
    found = column("sold", ["03/08/19", "04/08/19"], ["31/08/19"])
    assert found.date_formats == ("%d/%m/%y",)


def test_an_order_that_nothing_proves_is_asked_and_the_days_stay_text() -> None:
    found = column("date", ["03/08/19", "04/09/19"])
    assert found.type is FieldType.TEXT
    assert says(found, "day-first or month-first cannot be told")


def test_two_orders_in_one_file_are_asked() -> None:
    found = column("date", ["25/08/19", "08/25/19"])
    assert found.type is FieldType.TEXT
    assert found.notes[0].is_open


def test_days_of_the_solar_hijri_calendar_stay_text() -> None:
    found = column("تاریخ", ["1398/05/12", "1398/05/13"])
    assert found.type is FieldType.TEXT
    assert says(found, "Solar Hijri")


@pytest.mark.parametrize(
    ("name", "cells", "classification", "treatment"),
    [
        ("payment", CARDS, "card", "mask"),
        ("contact", ["a@x.org", "b@y.com"], "personal", "token"),
        ("手机号", ["13800138000", "13900139000"], "personal", "token"),
        ("tel", ["020 7946 0000"], "personal", "token"),
        ("field_7", ["+98 912 345 6789", "+98 935 000 1111"], "personal", "token"),
        ("顾客姓名", ["某某", "丙丁"], "personal", "token"),
        ("field_8", ["王小明", "李雷", "张伟"], "personal", "token"),
        ("field_9", ["Anna Cole", "Mr Peter Hall", "Sara Lind"], "personal", "token"),
        ("نام مشتری", ["ندا", "سهراب"], "personal", "token"),
        ("dob", ["1970-01-01", "1981-02-03"], "personal", "generalise"),
        ("product name", ["Peter's bread", "Anna cake"], "internal", "keep"),
        ("qty", ["1", "2"], "internal", "keep"),
        ("field_1", ["zorb", "quux", "blee"], "sensitive", "scan"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_class_follows_name_and_values(
    name: str, cells: list[str], classification: str, treatment: str
) -> None:
    found = column(name, cells)
    assert (found.classification, found.treatment) == (classification, treatment)


def test_a_card_number_in_prose_is_masked_and_told() -> None:
    found = column("remark", ["paid with 4111 1111 1111 1111 at the till", "nothing"])
    assert found.treatment == "scan"
    assert says(found, "card numbers hide in 1")


def test_a_verification_value_is_left_out() -> None:
    found = column("CVV2", ["123", "456"])
    assert found.is_left_out
    assert says(found, "never loaded")


def key_of(names: list[str], rows: list[list[str]]) -> tuple[tuple[str, ...], bool]:
    values = values_of(names, rows)
    columns = [propose_column(one, find_spelling(values)) for one in values]
    found = find_key(columns, rows)
    return tuple(names[place] for place in found.places), found.has_repeats


def test_the_key_is_the_smallest_set_that_no_two_records_share() -> None:
    rows = [["R1", "1", "milk", "2.50"], ["R1", "2", "tea", "2.50"], ["R2", "1", "milk", "9.10"]]
    assert key_of(["receipt", "line", "item", "amount"], rows) == (("receipt", "line"), False)


def test_records_that_repeat_are_kept_apart_by_their_number() -> None:
    rows = [["R1", "milk"], ["R1", "milk"], ["R2", "tea"]]
    assert key_of(["receipt", "item"], rows) == (("receipt",), True)
