"""Single values that look like numbers, days or yes: each is kept as stated or its row rejected."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.conftest import Bench

Stated = dict[str, Any]  # spelling → the value in raw, or the code for which its row is rejected
INTEGER, NUMBER, DAY, TIME, YES = (
    "bad_integer", "bad_number", "bad_date", "bad_timestamp", "bad_boolean"
)  # fmt: skip
GOOD = {
    "receipt": "",
    "number": "1",
    "amount": "1",
    "share": "0.1",
    "included": "true",
    "at": "2017-03-01 10:00:00",
    "day": "2017-03-01",
}
INTEGERS: Stated = {
    "7": 7, "007": 7, "+7": 7, "-7": -7, " 7 ": 7, "7.0": 7, "1e3": 1000, "2147483648": 2147483648,
    "7.5": INTEGER, "1_000": INTEGER, "1,000": INTEGER, "1 000": INTEGER, "0x10": INTEGER,
    "0b11": INTEGER, "٧": INTEGER, "۷": INTEGER, "７": INTEGER, "seven": INTEGER, "NaN": INTEGER,
    "inf": INTEGER, "99999999999999999999": INTEGER, "--7": INTEGER, "7-": INTEGER,
    "''": INTEGER, "TRUE": INTEGER, "#REF!": INTEGER, "": "missing",
}  # fmt: skip
AMOUNTS: Stated = {
    "3.50": "3.5", "-3.50": "-3.5", "+3.50": "3.5", ".5": "0.5", "5.": "5", "1e2": "100",
    "-0": "0", "12345678901234.9999": "12345678901234.9999",
    # Four decimals are kept, the fifth is rounded half away from zero.
    "0.00005": "0.0001", "0.00004": "0", "1.776357e-15": "0",
    "1_000": NUMBER, "1,000.00": NUMBER, "1.000,00": NUMBER, "3,50": NUMBER, "1E400": NUMBER,
    "NaN": NUMBER, "Infinity": NUMBER, "(3.50)": NUMBER, "3.50-": NUMBER, "€3.50": NUMBER,
    "３.５０": NUMBER, "۳٫۵۰": NUMBER, "$": NUMBER, "123456789012345678": NUMBER,
    "3.50 EUR": NUMBER, "1 234": NUMBER, "0x1A": NUMBER, "-": NUMBER, "n/a": NUMBER,
    "3..5": NUMBER, "1.2.3": NUMBER, "": "missing",
}  # fmt: skip
SHARES: Stated = {
    "0.2": 0.2, "1e-1": 0.1, "0": 0.0, "1": 1.0, "": None,
    "1.1": "above_maximum", "-0.1": "below_minimum", "20%": NUMBER, "NaN": NUMBER,
    "-inf": NUMBER, "1e400": NUMBER, "0,2": NUMBER, "٠.٢": NUMBER, "0_1": NUMBER,
}  # fmt: skip
BOOLEANS: Stated = {
    "true": True, "TRUE": True, "t": True, "1": True, "yes": True, "y": True, "0": False,
    "false": False, "no": False, "N": False, "": None,
    "on": YES, "2": YES, "-1": YES, "ja": YES, "是": YES, "wahr": YES, " true ": YES,
}  # fmt: skip
TIMES: Stated = {
    "2017-03-01 10:00:00": "2017-03-01 10:00:00+00",
    "2017-03-01T10:00:00Z": "2017-03-01 10:00:00+00",
    "2017-03-01T10:00:00+08:00": "2017-03-01 02:00:00+00",
    "2017-03-01 10:00:00 UTC": "2017-03-01 10:00:00+00",
    "2017-03-01 10:00:00 gmt": "2017-03-01 10:00:00+00",
    # The engine would read the times of the rows behind one with a zone's name in that zone.
    "2017-03-01 10:00:00 Asia/Shanghai": TIME, "2017-03-01 10:00:00 CET": TIME,
    "2017-03-01 10:00:00 +08:00 UTC": TIME, "2017-03-01 10:00:00 UTC+8": TIME,
    "2017-03-01": "2017-03-01 00:00:00+00",
    "2017-3-1 9:5": "2017-03-01 09:05:00+00",
    "2017-03-01 24:00:00": "2017-03-02 00:00:00+00",
    "2017-03-01 10:00:00.123456789": "2017-03-01 10:00:00.123456+00",
    "2016-02-29 10:00:00": "2016-02-29 10:00:00+00",
    # London's clocks: summer time begins and ends; the first did not exist, the second did twice.
    "2017-07-01 10:00:00": "2017-07-01 09:00:00+00",
    "2017-03-26 01:30:00": "2017-03-26 01:30:00+00",
    "2017-10-29 01:30:00": "2017-10-29 01:30:00+00",
    "9999-12-31 00:00:00": "9999-12-31 00:00:00+00",
    "1970-01-01T00:00:00Z": "1970-01-01 00:00:00+00",
    "0000-00-00 00:00:00": TIME, "0000-00-00": TIME, "0001-01-01 00:00:00": TIME,
    "1395-12-11 10:00:00": TIME, "03/08/19": TIME, "08/03/2019": TIME, "17-03-01 10:00:00": TIME,
    "2017-02-29 10:00:00": TIME, "2017-13-01 10:00:00": TIME, "2017-03-01 25:00:00": TIME,
    "2016-12-31 23:59:60": TIME, "20170301": TIME, "1488362400": TIME, "1488362400000": TIME,
    "42795.4167": TIME, "infinity": TIME, "-infinity": TIME, "epoch": TIME, "now": TIME,
    "today": TIME, "2017-03-01 10:00:00 AM": TIME, "Wed Mar 1 2017": TIME, "10:00:00": TIME,
    "۲۰۱۷-۰۳-۰۱ 10:00:00": TIME, "２０１７-03-01 10:00:00": TIME, "12017-03-01 10:00:00": TIME,
    "2017-03-01 10:00:00 (BC)": TIME, "": "missing",
}  # fmt: skip
DAYS: Stated = {
    "2017-03-01": "2017-03-01", "2017-3-1": "2017-03-01", "2017/03/01": "2017-03-01",
    "2017-03-01 10:00:00": "2017-03-01", "9999-12-31": "9999-12-31", "1970-01-01": "1970-01-01",
    "": None,
    "0000-00-00": DAY, "1395-12-11": DAY, "03/08/19": DAY, "01.03.2017": DAY, "20170301": DAY,
    "2017-02-29": DAY, "2017-00-10": DAY, "epoch": DAY, "infinity": DAY, "42795": DAY,
    "1 March 2017": DAY, "2017-W09-3": DAY,
}  # fmt: skip
KINDS: dict[str, Stated] = {
    "number": INTEGERS, "amount": AMOUNTS, "share": SHARES, "included": BOOLEANS, "at": TIMES,
    "day": DAYS,
}  # fmt: skip
CASES = [(column, text) for column, stated in KINDS.items() for text in stated]
FEED = {
    "feed": "bad_values",
    "description": "Values as nobody would wish them.",
    "sender": "corner",
    "template": "pos_standard",
    "owner": "test",
    "format": "csv",
    "files": "*.csv",
    "time_zone": "Europe/London",
    "arrival": {"complete_by": "rename", "reject_threshold": 1.0},
    "columns": {column: [] for column in GOOD},
    "records": {
        "tax": {
            "fields": {
                "receipt_id": "receipt",
                "tax_number": "number",
                "tax_amount": "amount",
                "tax_share": "share",
                "is_included": "included",
                "sold_at": "at",
            }
        },
        "receipt": {
            "fields": {
                "receipt_id": "receipt",
                "receipt_type": "'sale'",
                "store_code": "'1'",
                "currency_code": "'GBP'",
                "sold_at": "'2017-03-01 10:00:00'",
                "business_date": "day",
            }
        },
    },
}


@pytest.fixture(scope="module")
def outcomes(module_bench_for: Callable[..., Bench]) -> dict[tuple[str, str], Any]:
    """What became of each value: all of them are delivered in one file, one row each."""
    bench = module_bench_for(**FEED)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(GOOD)
    for number, (column, value) in enumerate(CASES):
        writer.writerow((GOOD | {"receipt": f"C{number}", column: value}).values())
    bench.deliver("values.csv", text.getvalue())
    assert bench.load().physical_count == len(CASES)
    kept = {
        row[0]: dict(zip(KINDS, row[1:], strict=True))
        for row in bench.rows(
            "select receipt_id, tax_number, tax_amount, tax_share, is_included, "
            "cast(taxes.sold_at as varchar), cast(receipts.business_date as varchar) "
            "from raw.pos_standard__tax as taxes "
            "join raw.pos_standard__receipt as receipts using (receipt_id)"
        )
    }
    codes = dict(bench.rows("select first_line, error_code from ops.rejects"))
    return {
        case: kept[f"C{number}"][case[0]] if f"C{number}" in kept else codes[number + 2]
        for number, case in enumerate(CASES)
    }


@pytest.mark.parametrize(("column", "text"), CASES)
def test_a_value_is_kept_as_stated_or_its_row_rejected(
    outcomes: dict[tuple[str, str], Any], column: str, text: str
) -> None:
    stated = KINDS[column][text]
    is_amount = column == "amount" and stated not in {NUMBER, "missing"}
    assert outcomes[column, text] == (Decimal(stated) if is_amount else stated)
