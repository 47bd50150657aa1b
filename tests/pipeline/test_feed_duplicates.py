"""Files and rows that were there before, and two contents of one key."""

from __future__ import annotations

import gzip
from decimal import Decimal

import pytest

from tests.conftest import Bench
from tests.pipeline.till_lines import HEADER, ONE, PRODUCTS, THREE, TWO, counts


@pytest.mark.parametrize(
    ("again", "content"),
    [
        pytest.param("a.csv", (HEADER + ONE + TWO).encode(), id="same name"),
        pytest.param("renamed.csv", (HEADER + ONE + TWO).encode(), id="renamed"),
        pytest.param("a.csv.gz", gzip.compress((HEADER + ONE + TWO).encode()), id="gzipped"),
        pytest.param("b.csv", (HEADER + ONE + TWO).replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param("b.csv", b"\xef\xbb\xbf" + (HEADER + ONE + TWO).encode(), id="BOM"),
    ],
)
def test_a_second_delivery_is_a_duplicate_file(till: Bench, again: str, content: bytes) -> None:
    till.deliver("a.csv", HEADER + ONE + TWO)
    till.load()
    till.deliver(again, content)

    assert counts(till) == (2, 0, 0, 2)
    assert till.rows("select status from ops.file_ledger order by arrived_at") == [
        ("loaded",), ("duplicate",)
    ]  # fmt: skip
    assert till.rows("select count(*) from raw.pos_standard__line") == [(2,)]


def test_the_same_file_twice_in_one_batch_is_loaded_once(till: Bench) -> None:
    till.deliver("a.csv", HEADER + ONE)
    till.deliver("b.csv", HEADER + ONE)
    assert counts(till) == (2, 1, 0, 1)


def test_a_row_that_is_in_raw_already_is_a_duplicate_row(till: Bench) -> None:
    till.deliver("a.csv", HEADER + ONE + TWO)
    till.load()
    till.deliver("b.csv", HEADER + TWO + THREE)
    assert counts(till) == (2, 1, 0, 1)
    assert till.rows(PRODUCTS) == [("bread",), ("milk",), ("tea",)]
    assert till.rows("select count(*) from ops.raw_conflict") == [(0,)]


@pytest.mark.parametrize("order", [("old", "new"), ("new", "old")])
@pytest.mark.parametrize("in_one_batch", [True, False])
def test_two_contents_of_one_key_are_both_kept_and_noted_once(
    till: Bench, order: tuple[str, str], in_one_batch: bool
) -> None:
    content = {"old": HEADER + ONE, "new": HEADER + ONE.replace("3.50", "3.60")}
    for place, version in enumerate(order):
        till.deliver(f"{place}.csv", content[version])
        if not in_one_batch:
            till.load()
    till.load()
    assert till.rows("select list_amount from raw.pos_standard__line order by 1") == [
        (Decimal("3.5000"),), (Decimal("3.6000"),)
    ]  # fmt: skip
    assert till.rows(
        "select raw_table, "
        "record_key = (select any_value(_record_key) from raw.pos_standard__line) "
        "from ops.raw_conflict"
    ) == [("pos_standard__line", True)]
