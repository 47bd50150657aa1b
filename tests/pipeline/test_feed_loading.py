"""What becomes of delivered files: rows by hand, every bad input with its stated outcome."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from dagster_project.core.feeds import LoadError, waiting_files
from tests.conftest import Bench

LINES = {
    "feed": "till_lines",
    "description": "Lines of one till.",
    "sender": "corner",
    "template": "pos_standard",
    "owner": "test",
    "format": "csv",
    "files": "*.csv",
    "arrival": {"complete_by": "rename", "reject_threshold": 0.5},
    "columns": {"bon": [], "pos": ["position"], "sku": [], "qty": [], "amount": [], "at": []},
    "records": {
        "line": {
            "fields": {
                "receipt_id": "bon",
                "line_number": "pos",
                "line_type": "'sale'",
                "product_code": "sku",
                "quantity": "qty",
                "list_amount": "amount",
                "discount_amount": "'0'",
                "tax_amount": "'0'",
                "sold_at": "at",
            }
        }
    },
}
HEADER = "bon,pos,sku,qty,amount,at\n"
ONE = "R1,1,milk,2,3.50,2017-03-01 10:00:00\n"
TWO = "R1,2,tea,0.250,4.00,2017-03-01 10:00:00\n"
THREE = "R2,1,bread,1,2.10,2017-03-01 11:00:00\n"
PRODUCTS = "select product_code from raw.pos_standard__line order by product_code"
MakeBench = Callable[..., Bench]


@pytest.fixture
def till(bench_for: MakeBench) -> Bench:
    return bench_for(**LINES)


def rejects(bench: Bench) -> list[tuple[object, ...]]:
    return bench.rows(
        "select record_number, first_line, last_line, byte_offset, column_name, error_code "
        "from ops.rejects order by record_number"
    )


def counts(bench: Bench) -> tuple[int, int, int, int]:
    outcome = bench.load()
    return (
        outcome.physical_count,
        outcome.loaded_count,
        outcome.rejected_count,
        outcome.duplicate_count,
    )


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


def test_a_header_alone_is_a_loaded_file_without_rows(till: Bench) -> None:
    till.deliver("a.csv", HEADER)
    assert counts(till) == (0, 0, 0, 0)
    assert till.rows("select status, physical_count from ops.file_ledger") == [("loaded", 0)]


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


def test_links_and_folders_are_refused_and_their_targets_untouched(
    till: Bench, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text(HEADER + ONE)
    (till.landing / "link.csv").symlink_to(outside)
    (till.landing / "folder.csv").mkdir()
    os.mkfifo(till.landing / "pipe.csv")
    outcome = till.load()
    assert outcome.quarantined == (
        ("folder.csv", "a folder, not a file"),
        ("link.csv", "a link, not a file"),
        ("pipe.csv", "not a regular file"),
    )
    assert outside.read_text() == HEADER + ONE
    assert till.load().file_count == 0


def test_a_landing_folder_that_is_a_link_is_not_read(till: Bench, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    till.landing.rmdir()
    (till.warehouse.home.landing / "till_lines").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LoadError, match="is no folder of its own"):
        till.load()


def test_unfinished_files_wait(bench_for: MakeBench) -> None:
    till = bench_for(**LINES | {"arrival": {"complete_by": "marker"}})
    for name in ("a.csv", "b.csv", ".hidden.csv", "c.csv.part"):
        till.deliver(name, HEADER + ONE)
    till.deliver("a.csv.done", "")
    assert [path.name for path in waiting_files(till.warehouse.home, till.feed)] == ["a.csv"]
    till.load()
    assert sorted(p.name for p in till.landing.iterdir() if p.is_file()) == [
        ".hidden.csv", "b.csv", "c.csv.part"
    ]  # fmt: skip


def test_a_file_still_growing_waits_until_it_is_stable(bench_for: MakeBench) -> None:
    till = bench_for(**LINES | {"arrival": {"complete_by": "stable", "stable_seconds": 60}})
    path = till.deliver("a.csv", HEADER + ONE)
    assert till.load().file_count == 0
    os.utime(path, (0, 0))
    assert till.load().loaded_count == 1


def test_a_file_left_over_from_a_crash_after_the_commit_is_removed_without_a_trace(
    till: Bench,
) -> None:
    till.deliver("a.csv", HEADER + ONE)
    till.load()
    arrived = till.rows("select epoch_us(arrived_at) from ops.file_ledger")[0][0]
    holder = till.landing / ".claimed" / str(arrived)
    holder.mkdir(parents=True)
    (holder / "a.csv").write_text(HEADER + ONE)
    before = till.rows("select count(*) from ops.file_ledger")
    assert till.load().file_count == 0
    assert till.rows("select count(*) from ops.file_ledger") == before
    assert not holder.exists()


def test_an_unknown_column_is_reported_and_left_out(till: Bench) -> None:
    till.deliver("a.csv", "colour," + HEADER + "red," + ONE)
    assert counts(till) == (1, 1, 0, 0)
    assert till.rows("select subject, message from ops.alarm") == [
        ("feed/till_lines", "unknown columns were left out: colour")
    ]


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "utf-16", "cp1256"])
def test_text_arrives_as_it_was_whatever_its_encoding(bench_for: MakeBench, encoding: str) -> None:
    text = "شیر".replace("ی", "ي") if encoding == "cp1256" else "牛奶"
    till = bench_for(**LINES | {"dialect": {"encoding": encoding}})
    till.deliver("a.csv", (HEADER + ONE.replace("milk", text)).encode(encoding))
    assert counts(till) == (1, 1, 0, 0)
    assert till.rows(PRODUCTS) == [(text,)]


def test_bytes_of_another_encoding_hold_the_file_back_with_their_offset(
    bench_for: MakeBench,
) -> None:
    till = bench_for(**LINES | {"dialect": {"encoding": "gb18030"}})
    till.deliver("a.csv", HEADER.encode() + b"R1,1,\xff\xff,1,1,2017-03-01\n")
    reason = f"byte {len(HEADER) + 5} is not gb18030, the declared encoding"
    assert till.load().quarantined == (("a.csv", reason),)


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


def test_a_receipt_repeated_on_its_lines_is_one_receipt(bench_for: MakeBench) -> None:
    receipt = {
        "receipt_id": "bon",
        "receipt_type": "'sale'",
        "store_code": "'1'",
        "sold_at": "at",
        "currency_code": "'EUR'",
    }
    records = {"receipt": {"fields": receipt}, **LINES["records"]}
    till = bench_for(**LINES | {"records": records})
    till.deliver("a.csv", HEADER + ONE + TWO + THREE)
    assert counts(till) == (3, 3, 0, 0)
    assert till.rows("select receipt_id from raw.pos_standard__receipt order by 1") == [
        ("R1",), ("R2",)
    ]  # fmt: skip
    assert till.rows("select count(*) from raw.pos_standard__line") == [(3,)]


def test_a_record_with_one_bad_output_is_withheld_whole(bench_for: MakeBench) -> None:
    receipt = {
        "receipt_id": "bon",
        "receipt_type": "'sale'",
        "store_code": "'1'",
        "sold_at": "at",
        "currency_code": "'EUR'",
    }
    records = {"receipt": {"fields": receipt}, **LINES["records"]}
    till = bench_for(**LINES | {"records": records})
    till.deliver("a.csv", HEADER + ONE + "R2,1,tea,many,1,2017-03-01\n")
    assert counts(till) == (2, 1, 1, 0)
    assert till.rows("select receipt_id from raw.pos_standard__receipt") == [("R1",)]


def test_rows_of_no_mapped_kind_are_rejected_and_ignored_ones_do_not_count(
    bench_for: MakeBench,
) -> None:
    line = {"where": "sku != 'SUM' and sku != '?'", **LINES["records"]["line"]}
    till = bench_for(**LINES | {"records": {"line": line}, "ignore_where": "sku = 'SUM'"})
    till.deliver("a.csv", HEADER + ONE + "R1,,SUM,,3.50,\n" + "R1,9,?,1,1,2017-03-01\n")
    assert counts(till) == (2, 1, 1, 0)
    assert [row[0] for row in rejects(till)] == [3]
    assert rejects(till)[0][5] == "unmapped"


def test_a_window_in_a_mapping_sees_its_own_file_only(bench_for: MakeBench) -> None:
    fields = LINES["records"]["line"]["fields"] | {
        "line_number": "row_number() over (partition by bon order by _record)"
    }
    till = bench_for(**LINES | {"records": {"line": {"fields": fields}}})
    till.deliver("a.csv", HEADER + "R1,,a,1,1,2017-03-01\nR1,,b,1,1,2017-03-01\n")
    till.deliver("b.csv", HEADER + "R2,,c,1,1,2017-03-01\nR1,,d,1,1,2017-03-02\n")
    assert counts(till) == (4, 4, 0, 0)
    assert till.rows("select product_code, line_number from raw.pos_standard__line order by 1") == [
        ("a", 1), ("b", 2), ("c", 1), ("d", 1)
    ]  # fmt: skip


def test_a_mapping_that_cannot_be_computed_holds_back_only_the_file_it_fails_on(
    bench_for: MakeBench,
) -> None:
    fields = LINES["records"]["line"]["fields"] | {"quantity": "cast(qty as integer)"}
    till = bench_for(**LINES | {"records": {"line": {"fields": fields}}})
    till.deliver("bad.csv", HEADER + "R1,1,a,4111x,1,2017-03-01\n")
    till.deliver("good.csv", HEADER + THREE)
    outcome = till.load()
    reason = "the feed's mapping cannot be computed (ConversionException)"
    assert outcome.quarantined == (("bad.csv", reason),)
    assert outcome.loaded_count == 1


def test_a_mapping_that_is_no_sql_stops_the_load_and_keeps_the_files(bench_for: MakeBench) -> None:
    fields = LINES["records"]["line"]["fields"] | {"quantity": "qty +"}
    till = bench_for(**LINES | {"records": {"line": {"fields": fields}}})
    till.deliver("a.csv", HEADER + ONE)
    with pytest.raises(LoadError, match=r"feed till_lines: Parser Error"):
        till.load()
    assert [path.name for path in waiting_files(till.warehouse.home, till.feed)] == ["a.csv"]


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
