"""Bad rows and files that cannot be read: rejected or held back, each with its reason."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from dagster_project.core.feeds import waiting_files
from tests.conftest import Bench
from tests.pipeline.till_lines import (
    HEADER,
    LINES,
    ONE,
    PRODUCTS,
    THREE,
    MakeBench,
    counts,
    rejects,
)


@pytest.mark.parametrize(
    ("bad", "column", "code"),
    [
        pytest.param("R9,x,tea,1,1,2017-03-01\n", "line_number", "bad_integer", id="word"),
        pytest.param("R9,1.5,tea,1,1,2017-03-01\n", "line_number", "bad_integer", id="half"),
        pytest.param("R9,1,tea,1,1;2,2017-03-01\n", "list_amount", "bad_number", id="amount"),
        pytest.param("R9,1,tea,,1,2017-03-01\n", "quantity", "missing", id="missing"),
        pytest.param("R9,1,tea,1,1,2017-02-30\n", "sold_at", "bad_timestamp", id="no such day"),
        pytest.param(",1,tea,1,1,2017-03-01\n", "receipt_id", "missing", id="no key"),
    ],
)
def test_a_bad_row_is_rejected_with_its_place_and_the_others_load(
    till: Bench, bad: str, column: str, code: str
) -> None:
    till.deliver("a.csv", HEADER + ONE + bad + THREE)
    assert counts(till) == (3, 2, 1, 0)
    offset = len(HEADER + ONE)
    assert rejects(till) == [(2, 3, 3, offset, column, code)]
    assert till.rows(PRODUCTS) == [("bread",), ("milk",)]


def test_a_ragged_row_is_rejected_by_its_line(till: Bench) -> None:
    till.deliver("a.csv", HEADER + ONE + "R9,1,tea\n" + THREE)
    assert counts(till) == (3, 2, 1, 0)
    assert rejects(till) == [(2, 3, 3, len(HEADER + ONE), None, "ragged_row")]


def test_one_stray_quote_takes_no_good_row_with_it(till: Bench) -> None:
    good = [f"R{n},1,milk,1,1.00,2017-03-01\n" for n in range(100, 200)]
    lines = [*good[:50], 'R9,1,"milk,1,1.00,2017-03-01\n', *good[50:]]
    till.deliver("a.csv", HEADER + "".join(lines))
    assert counts(till) == (101, 100, 1, 0)
    assert rejects(till)[0][:3] == (51, 52, 52)
    assert rejects(till)[0][5] == "unterminated_quote"


def test_text_beside_a_closing_quote_is_rejected(till: Bench) -> None:
    till.deliver("a.csv", HEADER + ONE + 'R9,1,"mi"lk,1,1.00,2017-03-01\n' + THREE)
    assert counts(till) == (3, 2, 1, 0)
    assert rejects(till)[0][5] == "stray_quote"


def test_a_byte_that_is_no_utf8_costs_its_row_only(till: Bench) -> None:
    till.deliver("a.csv", HEADER.encode() + ONE.encode() + b"R9,1,t\xffa,1,1,2017-03-01\n")
    assert counts(till) == (2, 1, 1, 0)
    assert rejects(till) == [(2, 3, 3, len(HEADER + ONE), None, "bad_encoding")]


def test_too_many_bad_rows_hold_the_whole_file_back(bench_for: MakeBench) -> None:
    till = bench_for(**LINES | {"arrival": {"complete_by": "rename", "reject_threshold": 0.3}})
    till.deliver("bad.csv", HEADER + ONE + "R9,x,tea,1,1,2017-03-01\n")
    till.deliver("good.csv", HEADER + THREE)
    outcome = till.load()
    assert outcome.quarantined == (("bad.csv", "1 of 2 records rejected, more than 30%"),)
    assert (outcome.physical_count, outcome.loaded_count, outcome.rejected_count) == (3, 1, 2)
    assert till.rows(PRODUCTS) == [("bread",)]
    assert len(rejects(till)) == 1


UNREADABLE = {
    "empty": ("a.csv", b"", "the file is empty"),
    "missing column": ("a.csv", b"bon,pos,sku,qty,at\nR1,1,a,1,2017\n", "column missing: amount"),
    "a picture": ("a.csv", b"\x89PNG\r\n\x1a\n\0\0\0", "no header or first record can be read"),
    "cut gzip": (
        "a.csv.gz",
        gzip.compress(b"x" * 99)[:-4],
        "the archive cannot be unpacked: "
        "Compressed file ended before the end-of-stream marker was reached",
    ),
    "nested": (
        "a.csv.gz",
        gzip.compress(gzip.compress(b"bon")),
        "the archive holds another archive",
    ),
    "bomb": (
        "a.csv.gz",
        gzip.compress(b"\n" * (40 << 20)),
        "the archive unpacks to more than the cap",
    ),
}


@pytest.mark.parametrize(("name", "content", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_cannot_be_read_is_held_back_with_one_reason(
    till: Bench, name: str, content: bytes, reason: str
) -> None:
    till.deliver(name, content)
    till.deliver("good.csv", HEADER + THREE)
    outcome = till.load()
    assert outcome.quarantined == ((name, reason),)
    assert outcome.loaded_count == 1
    assert waiting_files(till.warehouse.home, till.feed) == []


def test_a_zip_with_one_file_is_opened_and_one_with_two_is_not(till: Bench) -> None:
    for name, members in (("one.csv.zip", 1), ("two.csv.zip", 2)):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for number in range(members):
                archive.writestr(f"{number}.csv", HEADER + ONE)
        till.deliver(name, packed.getvalue())
    outcome = till.load()
    assert outcome.quarantined == (("two.csv.zip", "the archive holds 2 files, expected one"),)
    assert outcome.loaded_count == 1


def test_an_unknown_column_is_reported_and_left_out(till: Bench) -> None:
    till.deliver("a.csv", "colour," + HEADER + "red," + ONE)
    assert counts(till) == (1, 1, 0, 0)
    assert till.rows("select subject, message from ops.alarm") == [
        ("feed/till_lines", "unknown columns were left out: colour")
    ]


def test_bytes_of_another_encoding_hold_the_file_back_with_their_offset(
    bench_for: MakeBench,
) -> None:
    till = bench_for(**LINES | {"dialect": {"encoding": "gb18030"}})
    till.deliver("a.csv", HEADER.encode() + b"R1,1,\xff\xff,1,1,2017-03-01\n")
    reason = f"byte {len(HEADER) + 5} is not gb18030, the declared encoding"
    assert till.load().quarantined == (("a.csv", reason),)
