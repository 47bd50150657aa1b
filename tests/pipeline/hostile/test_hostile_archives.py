"""Names, archives, workbooks, XML and other files that are not what they say they are."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import zipfile

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.conftest import Bench
from tests.pipeline.hostile.cases import GOOD, Case, Outcome, deliver, judge, own_receipts
from tests.pipeline.till_lines import HEADER, LINES, ONE, MakeBench

BOTH = ("milk", "tea")
NO_HEADER = "no header or first record can be read"
MISSING = "column missing: bon, pos, sku, qty, amount, at"
UNPACKED = "the archive cannot be unpacked: "


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def encrypted() -> bytes:
    """A zip whose only member says that it is encrypted."""
    packed = bytearray(zipped(a=GOOD))
    packed[6] |= 1
    packed[packed.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(packed)


def zstd(content: bytes) -> bytes:
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as packed:
        packed.write(content)
    return out.getvalue().to_pybytes()


def wrong_check() -> bytes:
    packed = bytearray(gzip.compress(GOOD, mtime=0))
    packed[-8] ^= 1
    return bytes(packed)


def own(number: int) -> bytes:
    return own_receipts(GOOD, 500 + number)


NAMES = {
    "a glob": "a[1]*?.csv",
    "single quote": "x'; drop table ops.file_ledger; --.csv",
    "double quote": 'x".csv',
    "parents": "x..csv",
    "parents within": "x..%2f..%2fetc.csv",
    "a newline": "a\nb.csv",
    "a leading dash": "-rf.csv",
    "an ending twice": "a.csv.csv",
    "upper case": "A.CSV",
    "right to left": "\u202etxt.csv",
    "255 bytes": "n" * 251 + ".csv",
    "Chinese": "收银日报.csv",
    "Persian": "گزارش فروش.csv",
    "an emoji and a combining mark": "🧾e\u0301.csv",
    "a space at both ends": " a.csv ",
    "a backslash": "a\\b.csv",
    "a percent sign": "%s%n{0}.csv",
}
FILES = {
    "gzip cut off": Case(
        gzip.compress(GOOD)[:-12],
        held=UNPACKED + "Compressed file ended before the end-of-stream marker was reached",
    ),
    "two gzip members": Case(
        gzip.compress(own(1)) + gzip.compress(own(2).split(b"\n", 1)[1]), 4, products=BOTH * 2
    ),
    "gzip with something behind": Case(
        gzip.compress(own(3)) + b"PK", held=UNPACKED + "Not a gzipped file (b'PK')"
    ),
    "gzip of gzip": Case(
        gzip.compress(gzip.compress(GOOD)), held="the archive holds another archive"
    ),
    "a zip of two files": Case(
        zipped(a=GOOD, b=GOOD), held="the archive holds 2 files, expected one"
    ),
    "an encrypted zip": Case(encrypted(), held="the archive is encrypted"),
    "a zip in a zip": Case(zipped(a=zipped(b=GOOD)), held="the archive holds another archive"),
    "a zip with nothing": Case(
        b"PK\x05\x06" + b"\0" * 18, held="column missing: bon, pos, sku, qty, amount, at"
    ),
    "a zip bomb": Case(
        zipped(a=b"\n" * (40 << 20)), held="the archive unpacks to more than the cap"
    ),
    "a name that climbs out of the zip": Case(
        zipped(**{"../../../etc/cron.d/x": own(4)}), 2, products=BOTH
    ),
    "an absolute name in the zip": Case(zipped(**{"/etc/passwd": own(5)}), 2, products=BOTH),
    "a name in GBK in the zip": Case(
        zipped(xxxx=own(6)).replace(b"xxxx", "日报".encode("gbk")), 2, products=BOTH
    ),
    "zstd": Case(zstd(own(7)), 2, products=BOTH),
    "zstd cut off": Case(zstd(GOOD * 9)[:-9], held=UNPACKED + "*"),
    "a pickle": Case(pickle.dumps({"a": 1}), held=NO_HEADER),
    "a picture": Case(b"\x89PNG\r\n\x1a\n\0\0\0", held=NO_HEADER),
    "a workbook called csv": Case(
        zipped(**{"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}),
        held="the archive holds 2 files, expected one",
    ),
    "gzip with a wrong check sum": Case(wrong_check(), held=UNPACKED + "CRC check failed*"),
}


@pytest.fixture(scope="module")
def named(module_till: Bench) -> Bench:
    for number, name in enumerate(NAMES.values()):
        module_till.deliver(name, own_receipts(GOOD, number))
    raw = os.fsencode(module_till.landing / "x") + b"\xff\xfe.csv"
    with open(raw, "wb") as out:
        out.write(own_receipts(GOOD, 99))
    module_till.load()
    return module_till


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_is_data_and_nothing_else(named: Bench, name: str) -> None:
    assert named.rows(
        "select loaded_count, status from ops.file_ledger where original_name = ?", name
    ) == [(2, "loaded")]


def test_a_name_that_is_no_utf8_is_kept_with_signs_in_its_place(named: Bench) -> None:
    assert named.rows(
        "select loaded_count from ops.file_ledger where original_name = ?", "x\ufffd\ufffd.csv"
    ) == [(2,)]
    assert [path for path in named.landing.iterdir() if not path.name.startswith(".")] == []


@pytest.fixture(scope="module")
def outcomes(module_till: Bench) -> dict[str, Outcome]:
    return deliver(module_till, FILES)


@pytest.mark.parametrize("title", FILES)
def test_a_bad_archive_ends_as_stated(outcomes: dict[str, Outcome], title: str) -> None:
    case, outcome = FILES[title], outcomes[title]
    if case.held and case.held.endswith("*"):
        assert outcome.reason is not None
        assert outcome.reason.startswith(case.held[:-1])
        assert outcome.counts == (0, 0, 0, 0)
    else:
        judge(case, outcome, list(FILES).index(title))


def workbook(**parts: bytes) -> bytes:
    return zipped(**{"[Content_Types].xml": b"<Types/>"} | parts)


XML = "<?xml version='1.0'?>"
DOCUMENTS = {
    "xlsx with macros": (
        "xlsx", workbook(**{"xl/vbaProject.bin": b"x"}), "the workbook holds macros"),
    "xlsx that explodes": (
        "xlsx", workbook(**{"xl/a.xml": b"\0" * (40 << 20)}),
        "the workbook unpacks to more than the cap"),
    "xlsx that is none": ("xlsx", b"PK\x03\x04 not one", "not a readable workbook"),
    "xlsx without a sheet": ("xlsx", workbook(), "not a readable workbook"),
    "xls that is text": ("xls", b"a\tb\n1\t2\n", "not a readable workbook"),
    "xls cut off": (
        "xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 40, "not a readable workbook"),
    "XML with a document type": (
        "xml", f"{XML}<!DOCTYPE r><r><t/></r>".encode(), "the document declares a document type"),
    "XML that explodes": (
        "xml", f"{XML}<!DOCTYPE r [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]><r><t>&b;</t></r>".encode(),
        "the document declares a document type"),
    "XML that reads a file": (
        "xml", f"{XML}<!DOCTYPE r [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><r>&a;</r>".encode(),
        "the document declares a document type"),
    "XML with an entity nobody declared": (
        "xml", b"<r><t>&x;</t></r>", "line 1, column 6: not well-formed XML (undefined entity)"),
    "XML nested without end": (
        "xml", b"<r>" * 300 + b"</r>" * 300, "line 1: elements nested deeper than 200"),
    "XML not closed": (
        "xml", b"<r><t></t>", "line 1, column 10: not well-formed XML (no element found)"),
    "XML with another root": ("xml", b"<html/>", "the document has no element t"),
    "XML that is empty text": ("xml", b" ", "line 1, column 1: not well-formed XML"),
    "Parquet that is none": ("parquet", b"PAR1 not one PAR1", "not a readable Parquet file"),
    "Parquet that is a pickle": ("parquet", pickle.dumps([1]), "not a readable Parquet file"),
    "JSON that is cut off": (
        "json", b'[{"bon": "R1"}', "line 1, column 15: not valid JSON (Expecting ',' delimiter)"),
    "JSON nested without end": (
        "json", b"[" * 100_000 + b"]" * 100_000, "the JSON document is nested too deeply"),
    "JSON with NaN": ("json", b'[{"bon": NaN}]', "line 1, column 1: not valid JSON"),
    "JSON that is a number": ("json", b"4", "the JSON document is neither a list nor an object"),
}  # fmt: skip


@pytest.mark.parametrize(("format_", "content", "reason"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_bad_document_is_held_back_with_a_reason(
    module_bench_for: MakeBench, format_: str, content: bytes, reason: str
) -> None:
    more = {"dialect": {"record_path": "t"}} if format_ == "xml" else {}
    bench = module_bench_for(
        **LINES | {"feed": f"bad_{format_}", "format": format_, "files": "*"} | more
    )
    bench.deliver("a", content)
    ((_, told),) = bench.load().quarantined
    assert told.startswith(reason)


def test_a_parquet_file_without_a_column_is_held_back(module_bench_for: MakeBench) -> None:
    bench = module_bench_for(**LINES | {"feed": "narrow", "format": "parquet", "files": "*"})
    out = io.BytesIO()
    parquet.write_table(pa.table({"bon": ["R1"], "pos": [1]}), out)
    bench.deliver("a.parquet", out.getvalue())
    ((_, told),) = bench.load().quarantined
    assert told == "column missing: sku, qty, amount, at"


def test_sql_and_formulas_in_every_cell_are_text(module_bench_for: MakeBench) -> None:
    bench = module_bench_for(**LINES | {"feed": "injected", "files": "*"})
    texts = [
        "'; drop table raw.pos_standard__line; --",
        "=cmd|' /C calc'!A0",
        "@SUM(1+1)",
        "$1",
        "{}",
    ]
    rows = "".join(
        ONE.replace("milk", f'"{text}"').replace("R1", f"I{n}") for n, text in enumerate(texts)
    )
    bench.deliver("a.csv", HEADER + rows)
    assert bench.load().loaded_count == len(texts)
    assert bench.rows(
        "select product_code from raw.pos_standard__line where _feed = 'injected' "
        "order by receipt_id"
    ) == [(text,) for text in texts]
