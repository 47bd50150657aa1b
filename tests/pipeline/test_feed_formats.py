"""Workbooks, XML and JSON documents and columns of fixed width, loaded by declaration alone."""

import gzip
import json
from pathlib import Path

import pytest

XML_TILL = {
    "feed": "xml_till",
    "description": "A till's journal.",
    "sender": "north",
    "template": "pos_standard",
    "owner": "till desk, till@example.com",
    "format": "xml",
    "files": "*.xml",
    "time_zone": "Europe/London",
    "arrival": {"complete_by": "rename", "reject_threshold": 1},
    "dialect": {"record_path": "Transaction"},
    "columns": {
        "number": ["Head/Number"],
        "shop": ["/Journal/Shop@code"],
        "total": ["Total[@kind='grand']"],
        "at": ["Head/At"],
        "items": ["Item[]"],
        "x:loyalty": [],
    },
    "records": {
        "receipt": {
            "fields": {
                "receipt_id": "number",
                "receipt_type": "'sale'",
                "store_code": "shop",
                "member_number": "x:loyalty",
                "sold_at": "at",
                "currency_code": "'GBP'",
                "total_amount": "total",
            }
        },
        "line": {
            "each": "items",
            "where": "each ->> 'Article' is not null",
            "fields": {
                "receipt_id": "number",
                "line_number": "each_number",
                "line_type": "'sale'",
                "product_code": "each ->> 'Article'",
                "quantity": "each ->> 'Quantity'",
                "list_amount": "each ->> 'Amount'",
                "discount_amount": (
                    "coalesce(list_sum(list_transform(all_of(each, 'Off/Amount'), "
                    "lambda o: o::decimal(18, 4))), 0)"
                ),
                "tax_amount": "'0'",
                "sold_at": "at",
            },
        },
    },
}
JOURNAL = """<?xml version="1.0"?>
<Journal xmlns:x="urn:x">
  <Shop code="12"/>
  <Transaction>
    <Head><Number>7</Number><At>2024-05-01T10:00:00</At></Head>
    <Item><Article>0042</Article><Quantity>2</Quantity><Amount>9.00</Amount>
      <Off><Amount>0.50</Amount></Off><Off><Amount>0.25</Amount></Off></Item>
    <Item><Article>茶</Article><Quantity>1</Quantity><Amount>3.10</Amount></Item>
    <Item><Note>thank you</Note></Item>
    <Total kind="net">11.00</Total><Total kind="grand">12.10</Total>
    <x:loyalty>M1</x:loyalty>
  </Transaction>
  <Transaction>
    <Head><Number>8</Number><At>yesterday</At></Head>
    <Item><Article>1</Article><Quantity>1</Quantity><Amount>1</Amount></Item>
  </Transaction>
</Journal>
"""


def test_an_xml_transaction_becomes_a_receipt_and_its_lines(bench_for):
    bench = bench_for(**XML_TILL)
    bench.deliver("a.xml", JOURNAL)

    outcome = bench.load()

    assert (outcome.physical_count, outcome.loaded_count, outcome.rejected_count) == (2, 1, 1)
    assert bench.rows(
        "select receipt_id, store_code, total_amount::varchar from raw.pos_standard__receipt"
    ) == [("7", "12", "12.1000")]
    assert bench.rows(
        "select line_number, product_code, list_amount::varchar, discount_amount::varchar "
        "from raw.pos_standard__line order by 1"
    ) == [(1, "0042", "9.0000", "0.7500"), (2, "茶", "3.1000", "0.0000")]


def test_a_bad_xml_record_is_rejected_with_the_line_it_begins_on(bench_for):
    bench = bench_for(**XML_TILL)
    bench.deliver("a.xml", JOURNAL)

    bench.load()

    assert bench.rows(
        "select record_number, first_line, column_name, error_code from ops.rejects"
    ) == [(2, 13, "sold_at", "bad_timestamp")]


def test_one_bad_line_keeps_the_whole_transaction_out(bench_for):
    bench = bench_for(**XML_TILL)
    bench.deliver("a.xml", JOURNAL.replace(">3.10<", ">three<"))

    outcome = bench.load()

    assert (outcome.loaded_count, outcome.rejected_count) == (0, 2)
    assert bench.rows("select count(*) from raw.pos_standard__receipt") == [(0,)]
    assert bench.rows("select count(*) from raw.pos_standard__line") == [(0,)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (JOURNAL[:-12], "not well-formed XML"),
        (JOURNAL.replace("<Journal", "<!DOCTYPE Journal [<!ENTITY a 'b'>]><Journal"), "document"),
        ("<Journal/>", "no element Transaction"),
        (JOURNAL.replace("Transaction", "T"), "no element Transaction"),
    ],
)
def test_a_document_that_is_not_what_it_says_is_held_back(bench_for, content, reason):
    bench = bench_for(**XML_TILL)
    bench.deliver("a.xml", content)

    outcome = bench.load()

    assert outcome.loaded_count == 0
    assert reason in outcome.quarantined[0][1]


def test_lines_of_a_transaction_that_is_sent_again_with_one_more_are_loaded_once(bench_for):
    bench = bench_for(**XML_TILL)
    first, second = JOURNAL.split("  <Transaction>", 2)[:2]
    whole = f"{first}  <Transaction>{second}</Journal>"
    bench.deliver("a.xml", whole)
    bench.load()
    more = (
        "<Item><Article>9</Article><Quantity>1</Quantity><Amount>1</Amount></Item>    <Total kind="
    )
    bench.deliver("b.xml", whole.replace("    <Total kind=", more, 1))

    again = bench.load()

    assert (again.physical_count, again.loaded_count, again.duplicate_count) == (1, 1, 0)
    assert bench.rows("select product_code from raw.pos_standard__line order by line_number") == [
        ("0042",),
        ("茶",),
        ("9",),
    ]


PRICES = {
    "feed": "rates",
    "description": "Exchange rates of a bank.",
    "sender": "bank",
    "template": "exchange_rate",
    "owner": "treasury, t@example.com",
    "arrival": {"complete_by": "rename", "reject_threshold": 1},
    "columns": {"day": ["Day"], "base": ["From"], "quote": ["To"], "rate": ["Rate"]},
    "records": {
        "rate": {
            "fields": {
                "rate_date": "day",
                "base_currency_code": "base",
                "quote_currency_code": "quote",
                "rate": "rate",
            }
        }
    },
}
RATES = (
    "select rate_date::varchar, base_currency_code, rate::varchar "
    "from raw.exchange_rate__rate order by 1"
)


def test_a_json_document_gives_its_list_and_keeps_every_digit(bench_for):
    bench = bench_for(**PRICES, format="json", dialect={"record_path": "data/rates"})
    rates = '{"Day": "2024-05-01", "From": "USD", "To": "IRR", "Rate": 42000.12345670}'
    bench.deliver("a.json.gz", gzip.compress(f'{{"data": {{"rates": [{rates}, 7]}}}}'.encode()))

    outcome = bench.load()

    assert outcome.reject_reasons == (("not_an_object", 1),)
    assert bench.rows(RATES) == [("2024-05-01", "USD", "42000.12345670")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[1", "line 1, column 3: not valid JSON"),
        ('{"data": []}', "has no data/rates"),
        ('{"data": {"rates": "x"}}', "neither a list nor an object"),
        ("[NaN]", "not valid JSON"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_json_document_that_is_none_is_held_back(bench_for, content, reason):
    bench = bench_for(**PRICES, format="json", dialect={"record_path": "data/rates"})
    bench.deliver("a.json", content)

    assert reason in bench.load().quarantined[0][1]


def test_columns_of_fixed_width_are_cut_by_characters(bench_for):
    dialect = {"widths": [10, 4, 4, 8], "encoding": "gb18030", "header": False}
    bench = bench_for(**PRICES, format="fixed_width", dialect=dialect)
    lines = ["2024-05-01USD CNY     7.24", "2024-05-02US", "2024-05-03元   CNY     1.00"]
    bench.deliver("a.txt", "\r\n".join(lines).encode("gb18030"))

    outcome = bench.load()

    assert (outcome.physical_count, outcome.reject_reasons) == (3, (("ragged_row", 1),))
    assert bench.rows("select first_line from ops.rejects") == [(2,)]
    assert bench.rows(RATES) == [
        ("2024-05-01", "USD", "7.24000000"),
        ("2024-05-03", "元", "1.00000000"),
    ]


def workbook(path: Path, rows: list[list[object]]) -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path.read_bytes()


def test_a_workbook_s_dates_and_numbers_arrive_as_they_are_shown(bench_for, tmp_path):
    from datetime import datetime

    bench = bench_for(**PRICES, format="xlsx", dialect={"preamble_lines": 1})
    rows = [
        ["Rates of May"],
        ["Day", "From", "To", "Rate"],
        [datetime(2024, 5, 1), "USD", "CNY", 7.24],
        [None, None, None, None],
        ["2024-05-02", "USD", "CNY", 7],
        ["2024-05-03", "USD", "CNY", "seven"],
        ["2024-05-04", "USD", "CNY", 7, "beside the table"],
    ]
    bench.deliver("a.xlsx", workbook(tmp_path / "a.xlsx", rows))

    outcome = bench.load()

    assert bench.rows(RATES) == [
        ("2024-05-01", "USD", "7.24000000"),
        ("2024-05-02", "USD", "7.00000000"),
    ]
    assert outcome.reject_reasons == (("bad_number", 1), ("ragged_row", 1))
    # Lines are the rows below the title.
    assert bench.rows("select first_line from ops.rejects order by 1") == [(5,), (6,)]


def test_a_workbook_with_macros_is_refused(bench_for, tmp_path):
    import zipfile

    bench = bench_for(**PRICES, format="xlsx")
    path = tmp_path / "a.xlsx"
    workbook(path, [["Day", "From", "To", "Rate"]])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"macro")
    bench.deliver("a.xlsx", path.read_bytes())

    assert bench.load().quarantined == (("a.xlsx", "the workbook holds macros"),)


def test_what_is_no_workbook_is_held_back(bench_for):
    bench = bench_for(**PRICES, format="xls")
    bench.deliver("a.xls", "Day,From,To,Rate\n")

    assert "not a readable workbook" in bench.load().quarantined[0][1]


def test_a_wide_row_is_split_into_records(bench_for):
    feed = PRICES | {
        "columns": {"day": [], "base": [], "cny": [], "irr": []},
        "records": {
            "rate": {
                "each": "[{'to': 'CNY', 'rate': cny}, {'to': 'IRR', 'rate': irr}]::json",
                "where": "each ->> 'rate' is not null",
                "fields": PRICES["records"]["rate"]["fields"]
                | {"quote_currency_code": "each ->> 'to'", "rate": "each ->> 'rate'"},
            }
        },
        "ignore_where": "cny is null and irr is null",
    }
    bench = bench_for(**feed, format="csv")
    bench.deliver("a.csv", "day,base,cny,irr\n2024-05-01,USD,7.2,42000\n2024-05-02,USD,,42100\n")

    outcome = bench.load()

    assert (outcome.physical_count, outcome.loaded_count) == (2, 2)
    assert bench.rows(
        "select quote_currency_code, count(*) from raw.exchange_rate__rate group by 1 order by 1"
    ) == [("CNY", 1), ("IRR", 2)]


def test_a_list_that_is_none_is_the_record_s_reason(bench_for):
    feed = PRICES | {
        "columns": {"day": [], "base": [], "rates": []},
        "records": {
            "rate": {
                "each": "rates",
                "fields": PRICES["records"]["rate"]["fields"]
                | {"quote_currency_code": "each ->> 'to'", "rate": "each ->> 'rate'"},
            }
        },
    }
    bench = bench_for(**feed, format="jsonl")
    good = {"day": "2024-05-01", "base": "USD", "rates": [{"to": "CNY", "rate": "7.2"}]}
    bench.deliver("a.jsonl", f"{json.dumps(good)}\n{json.dumps(good | {'rates': 'none'})}\n")

    outcome = bench.load()

    assert (outcome.loaded_count, outcome.reject_reasons) == (1, (("bad_list", 1),))


SPELLED = {
    "decimal_mark": ",",
    "thousands_mark": ".",
    "date_formats": ["%d/%m/%y", "%d.%m.%Y"],
    "delimiter": ";",
}


def test_numbers_and_dates_are_read_as_the_dialect_spells_them(bench_for):
    bench = bench_for(**PRICES, format="csv", dialect=SPELLED)
    rows = [
        "03/08/19;USD;CNY;7,24",
        "04.08.2019;USD;IRR;1.042.000,5",
        "08/13/19;USD;CNY;7",
        "05/08/19;USD;CNY;1.04",
        "2019-08-06;USD;CNY;7",
        "۰۷/۰۸/۱۹;USD;CNY;۷,۵",
    ]
    bench.deliver("a.csv", "day;base;quote;rate\n" + "\n".join(rows) + "\n")

    outcome = bench.load()

    assert bench.rows(RATES) == [
        ("2019-08-03", "USD", "7.24000000"),
        ("2019-08-04", "USD", "1042000.50000000"),
        ("2019-08-07", "USD", "7.50000000"),
    ]
    # The thirteenth month, a group of two digits, and a date as nobody announced it.
    assert outcome.reject_reasons == (("bad_date", 2), ("bad_number", 1))
