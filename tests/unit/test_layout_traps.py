"""What makes honest files dangerous, each as a person would expect it to be handled."""

from __future__ import annotations

from pathlib import Path

import pytest
from layout_deliveries import Deliveries

HEADER = (
    "receipt_no;receipt_type;store;till;cashier;member_no;closed_at;currency;total;row_no;row_type;"
    "product;product_name;quantity;unit_price;list_amount;discount;tax;promotion;"
    "original_receipt_no;original_row_no;tender;amount;card_number;authorisation;reference"
)
COLUMNS = HEADER.split(";")
DIALECT = {
    "delimiter": ";",
    "decimal_mark": ",",
    "thousands_mark": ".",
    "timestamp_formats": ["%d/%m/%y %H:%M"],
}


def row(**cells: str) -> str:
    """A till's row with what a test does not care about filled in."""
    usual = {
        "receipt_no": "R1", "receipt_type": "sale", "store": "S1", "closed_at": "03/08/19 14:05",
        "currency": "EUR", "row_no": "1", "row_type": "sale", "product": "1", "quantity": "1",
        "list_amount": "1",
    }  # fmt: skip
    return ";".join((usual | cells).get(column, "") for column in COLUMNS)


@pytest.fixture
def deliveries(tmp_path: Path) -> Deliveries:
    return Deliveries(tmp_path / "home")


def load(deliveries: Deliveries, folder: Path, *rows: str, **dialect: object) -> tuple[int, int]:
    """Loaded and rejected records of a file with these rows."""
    path = folder / "till.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", "utf-8")
    arrival = {"complete_by": "rename", "reject_threshold": 1}
    outcome = deliveries.load("till_csv", path, dialect=DIALECT | dialect, arrival=arrival)
    return outcome.loaded_count, outcome.rejected_count


def test_the_third_of_august_is_not_the_eighth_of_march(
    deliveries: Deliveries, tmp_path: Path
) -> None:
    load(deliveries, tmp_path, row(closed_at="03/08/19 14:05"))

    sold = deliveries.rows("select sold_at::varchar from raw.pos_standard__line")
    assert sold == [("2019-08-03 14:05:00+00",)]


def test_a_day_that_cannot_stand_first_is_rejected_and_not_turned_around(
    deliveries: Deliveries, tmp_path: Path
) -> None:
    counts = load(deliveries, tmp_path, row(), row(row_no="2", closed_at="08/23/19 14:05"))

    assert counts == (1, 1)
    reasons = deliveries.rows("select first_line, column_name, error_code from ops.rejects")
    assert reasons == [(3, "sold_at", "bad_timestamp")]


def test_a_year_of_two_digits_is_none_of_the_first_century(
    deliveries: Deliveries, tmp_path: Path
) -> None:
    counts = load(deliveries, tmp_path, row(), timestamp_formats=["%d/%m/%Y %H:%M"])

    assert counts == (0, 1)


def test_identifiers_keep_all_their_digits_and_zeros(
    deliveries: Deliveries, tmp_path: Path
) -> None:
    load(
        deliveries,
        tmp_path,
        row(receipt_no="1234567890123456789", product="00123", member_no="9223372036854775809"),
        row(receipt_no="1234567890123456788", product="17850.0", store="007"),
    )

    # As numbers the two receipts are one to a spreadsheet, and the member is beyond 64 bits.
    lines = "select receipt_id, product_code from raw.pos_standard__line order by 1"
    assert deliveries.rows(lines) == [
        ("1234567890123456788", "17850.0"),
        ("1234567890123456789", "00123"),
    ]
    stores = "select store_code from raw.pos_standard__receipt order by 1"
    assert deliveries.rows(stores) == [("007",), ("S1",)]
    members = "select value from vault.personal_value where domain = 'member'"
    assert deliveries.rows(members) == [("9223372036854775809",)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("1.234,56", 1234.56, id="thousands"),
        pytest.param("12.345.678,9", 12345678.9, id="millions"),
        pytest.param("-1.234,50", -1234.5, id="negative"),
        pytest.param("1.234,50-", -1234.5, id="sign behind"),
        pytest.param("(12,50)", -12.5, id="in brackets"),
        pytest.param("€ 7,00", 7.0, id="with its currency"),
        pytest.param("１２，５", 12.5, id="full width"),
        pytest.param("۱۲,۵", 12.5, id="persian digits"),
    ],
)
def test_an_amount_is_read_as_the_sender_spells_it(
    text: str, expected: float, deliveries: Deliveries, tmp_path: Path
) -> None:
    assert load(deliveries, tmp_path, row(list_amount=text)) == (1, 0)

    amounts = deliveries.rows("select list_amount::double from raw.pos_standard__line")
    assert amounts == [(expected,)]


@pytest.mark.parametrize("text", ["1.5", "1,234.56", "12.34,56", "1.234.5"])
def test_an_amount_of_another_spelling_is_rejected_and_not_a_hundred_times_as_much(
    text: str, deliveries: Deliveries, tmp_path: Path
) -> None:
    assert load(deliveries, tmp_path, row(list_amount=text)) == (0, 1)

    reasons = deliveries.rows("select column_name, error_code from ops.rejects")
    assert reasons == [("list_amount", "bad_number")]


def test_a_negative_quantity_stays_one(deliveries: Deliveries, tmp_path: Path) -> None:
    returned = row(row_type="return", quantity="-2,5", list_amount="-1.000,00")

    assert load(deliveries, tmp_path, returned) == (1, 0)

    lines = "select quantity::double, list_amount::double from raw.pos_standard__line"
    assert deliveries.rows(lines) == [(-2.5, -1000.0)]


def test_a_row_delivered_twice_counts_once_and_is_told(
    deliveries: Deliveries, tmp_path: Path
) -> None:
    path = tmp_path / "twice.csv"
    path.write_text("\n".join([HEADER, row(), row(), row(row_no="2")]) + "\n", "utf-8")

    outcome = deliveries.load("till_csv", path, dialect=DIALECT)

    # The till numbers its rows: the same number with the same content is the same row.
    assert (outcome.physical_count, outcome.loaded_count, outcome.duplicate_count) == (3, 2, 1)
    assert deliveries.rows("select count(*) from raw.pos_standard__line") == [(2,)]
