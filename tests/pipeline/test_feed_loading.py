"""What becomes of clean files: typed rows, each from its place, originals kept."""

from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from dagster_project.core.feeds import waiting_files
from tests.conftest import Bench
from tests.pipeline.till_lines import HEADER, LINES, ONE, PRODUCTS, TWO, MakeBench, counts, rejects


def test_clean_rows_arrive_typed_and_with_their_places(till: Bench) -> None:
    till.deliver("a.csv", HEADER + ONE + TWO)

    assert counts(till) == (2, 2, 0, 0)
    assert till.rows(
        "select receipt_id, line_number, quantity, list_amount, sold_at, _sender, _feed, "
        "_record_number, _batch_id from raw.pos_standard__line order by line_number"
    ) == [
        ("R1", 1, Decimal("2.000"), Decimal("3.5000"), datetime(2017, 3, 1, 10, tzinfo=UTC),
         "corner", "till_lines", 1, 1),
        ("R1", 2, Decimal("0.250"), Decimal("4.0000"), datetime(2017, 3, 1, 10, tzinfo=UTC),
         "corner", "till_lines", 2, 1),
    ]  # fmt: skip
    assert waiting_files(till.warehouse.home, till.feed) == []


def test_the_record_key_is_the_md5_of_table_sender_and_natural_key(till: Bench) -> None:
    till.deliver("a.csv", HEADER + ONE)
    till.load()
    text = "\x1f".join(("pos_standard__line", "corner", "R1", "1"))
    # The engine's md5_number_lower is the digest's last eight bytes, little end first.
    expected = int.from_bytes(hashlib.md5(text.encode()).digest()[8:], "little") >> 1
    assert till.rows("select _record_key from raw.pos_standard__line") == [(expected,)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param(
            "bom.csv", b"\xef\xbb\xbf" + (HEADER + ONE + TWO).encode(), id="byte order mark"
        ),
        pytest.param("crlf.csv", (HEADER + ONE + TWO).replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param("cr.csv", (HEADER + ONE + TWO).replace("\n", "\r").encode(), id="CR"),
        pytest.param("gz.csv.gz", gzip.compress((HEADER + ONE + TWO).encode()), id="gzip"),
        pytest.param(
            "no end.csv", (HEADER + ONE + TWO).rstrip("\n").encode(), id="no last newline"
        ),
        pytest.param("blank.csv", (HEADER + ONE + "\n\n" + TWO + "\n").encode(), id="blank lines"),
        pytest.param("a[1].csv", (HEADER + ONE + TWO).encode(), id="name is a glob"),
        pytest.param("x';drop.csv", (HEADER + ONE + TWO).encode(), id="name is SQL"),
        pytest.param(
            "reordered.csv",
            b"at,amount,qty,sku,position,bon\n2017-03-01 10:00:00,3.50,2,milk,1,R1\n"
            b"2017-03-01 10:00:00,4.00,0.250,tea,2,R1\n",
            id="columns reordered and renamed",
        ),
        pytest.param(
            "quoted.csv",
            (HEADER + '"R1","1","milk","2","3.50","2017-03-01 10:00:00"\n' + TWO).encode(),
            id="quoted cells",
        ),
    ],
)
def test_the_same_two_rows_come_in_however_they_are_written(
    till: Bench, name: str, content: bytes
) -> None:
    till.deliver(name, content)
    assert counts(till) == (2, 2, 0, 0)
    assert till.rows(PRODUCTS) == [("milk",), ("tea",)]
    assert till.rows("select original_name from ops.file_ledger") == [(name,)]


def test_a_quoted_newline_stays_inside_its_cell(till: Bench) -> None:
    till.deliver("a.csv", HEADER + 'R1,1,"oat\nmilk ""barista""",1,1,2017-03-01\n' + TWO)
    assert counts(till) == (2, 2, 0, 0)
    assert till.rows(PRODUCTS) == [('oat\nmilk "barista"',), ("tea",)]


def test_a_header_alone_is_a_loaded_file_without_rows(till: Bench) -> None:
    till.deliver("a.csv", HEADER)
    assert counts(till) == (0, 0, 0, 0)
    assert till.rows("select status, physical_count from ops.file_ledger") == [("loaded", 0)]


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "utf-16", "cp1256"])
def test_text_arrives_as_it_was_whatever_its_encoding(bench_for: MakeBench, encoding: str) -> None:
    text = "شیر".replace("ی", "ي") if encoding == "cp1256" else "牛奶"
    till = bench_for(**LINES | {"dialect": {"encoding": encoding}})
    till.deliver("a.csv", (HEADER + ONE.replace("milk", text)).encode(encoding))
    assert counts(till) == (1, 1, 0, 0)
    assert till.rows(PRODUCTS) == [(text,)]


def test_preamble_and_footer_are_skipped_and_lines_still_count_from_the_top(
    bench_for: MakeBench,
) -> None:
    dialect = {"preamble_lines": 2, "footer_lines": 1}
    till = bench_for(**LINES | {"dialect": dialect})
    before = "Journal\nof 1 March\n" + HEADER + ONE
    till.deliver("a.csv", before + "R9,x,tea,1,1,2017-03-01\n" + "total,2\n")
    assert counts(till) == (2, 1, 1, 0)
    assert rejects(till) == [(2, 5, 5, len(before), "line_number", "bad_integer")]


def test_a_time_without_offset_is_the_feeds_own_and_one_with_offset_an_instant(
    bench_for: MakeBench,
) -> None:
    till = bench_for(**LINES | {"time_zone": "Asia/Tehran"})
    rows = "R1,1,a,1,1,2017-03-01 10:00:00\nR1,2,b,1,1,2017-03-01T10:00:00+08:00\n"
    till.deliver("a.csv", HEADER + rows)
    till.load()
    # Tehran kept +03:30 in winter 2017.
    assert till.rows("select sold_at from raw.pos_standard__line order by line_number") == [
        (datetime(2017, 3, 1, 6, 30, tzinfo=UTC),), (datetime(2017, 3, 1, 2, tzinfo=UTC),)
    ]  # fmt: skip


def test_null_text_and_delimiter_are_the_feeds_own(bench_for: MakeBench) -> None:
    till = bench_for(**LINES | {"dialect": {"delimiter": "|", "null_text": ["", "NULL"]}})
    text = (HEADER + ONE).replace(",", "|").replace("milk", "NULL")
    till.deliver("a.csv", text)
    till.load()
    assert till.rows(PRODUCTS) == [(None,)]


def test_files_without_header_are_read_by_position(bench_for: MakeBench) -> None:
    till = bench_for(**LINES | {"dialect": {"header": False}})
    till.deliver("a.csv", ONE + TWO)
    till.deliver("narrow.csv", "R1,1\n")
    outcome = till.load()
    assert outcome.loaded_count == 2
    assert outcome.quarantined == (("narrow.csv", "2 columns, expected 6"),)


def test_a_big_file_is_cut_into_pieces_and_counted_as_one(
    till: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagster_project.core.feeds.batch.PIECE_BYTES", 100)
    rows = "".join(f"R{n},1,milk,1,1.00,2017-03-01\n" for n in range(40))
    till.deliver("a.csv", HEADER + rows + "R99,x,milk,1,1.00,2017-03-01\n" + rows)
    assert counts(till) == (81, 40, 1, 40)
    assert till.rows("select count(*) from ops.file_ledger") == [(1,)]
    assert rejects(till)[0][:3] == (41, 42, 42)
    assert till.rows(
        "select count(distinct _record_number), max(_record_number) from raw.pos_standard__line"
    ) == [(40, 40)]


def test_the_original_is_kept_encrypted_and_opens_again(till: Bench, tmp_path: Path) -> None:
    from dagster_project.core.feeds.store import open_original

    content = HEADER + ONE
    till.deliver("a.csv", content)
    till.load()
    file_id = till.rows("select file_id from ops.file_ledger")[0][0]
    kept = list(till.warehouse.home.store.rglob("*.enc"))
    assert [path.name for path in kept] == [f"{file_id}.enc"]
    assert b"milk" not in kept[0].read_bytes()
    open_original(till.warehouse.home, till.warehouse.key, file_id, tmp_path / "again")
    assert (tmp_path / "again").read_text() == content


def test_scratch_is_empty_after_a_load(till: Bench) -> None:
    till.deliver("a.csv", HEADER + ONE)
    till.deliver("b.csv", HEADER.replace("at", "when") + ONE)
    till.load()
    assert list(till.warehouse.home.scratch.iterdir()) == []
    assert list(till.warehouse.home.store.glob(".sealing-*")) == []
