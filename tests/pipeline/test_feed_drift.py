"""Files that are no longer what the feed says: each policy, on rows whose outcome is by hand."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import duckdb
import pytest

from dagster_project.core.feeds import check_feed_file, replay_feed
from dagster_project.core.warehouse import Warehouse
from tests.conftest import TEST_KEY, Bench
from tests.pipeline.till_lines import LINES, ONE, PRODUCTS

MakeBench = Callable[..., Bench]


def till_with(bench_for: MakeBench, policy: Mapping[str, Any], **more: Any) -> Bench:
    """A till whose lines also map the list price, which no record needs."""
    fields = LINES["records"]["line"]["fields"] | {"unit_price": "price"}
    columns = LINES["columns"] | {"price": ["unit price"]}
    records = {"line": {"fields": fields}}
    return bench_for(**LINES | {"columns": columns, "records": records, "drift": policy} | more)


PRICED = "bon,pos,sku,qty,amount,at,price\n"
PRICED_ROWS = (
    "R1,1,milk,2,3.50,2017-03-01 10:00:00,1.75\n"
    "R1,2,tea,1,4.00,2017-03-01 10:00:00,4.x\n"
    "R2,1,bread,1,2.10,2017-03-01 11:00:00,2.10\n"
)
PRICES = "select product_code, unit_price::varchar from raw.pos_standard__line order by 1"


def ledger(bench: Bench) -> list[tuple[Any, ...]]:
    return bench.rows(
        "select physical_count, loaded_count, rejected_count, duplicate_count, status, reason "
        "from ops.file_ledger order by original_name"
    )


def as_jsonl(*rows: Mapping[str, Any]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def as_parquet(query: str) -> bytes:
    target = io.BytesIO()
    import pyarrow.parquet as pq

    pq.write_table(duckdb.sql(query).to_arrow_table(), target)
    return target.getvalue()


MILK = {"bon": "R1", "pos": 1, "sku": "milk", "qty": 2, "amount": 3.5, "at": "2017-03-01 10:00:00"}
MILK_SELECT = (
    "select 'R1' as bon, 1 as pos, 'milk' as sku, 2 as qty, 3.5 as amount, "
    "timestamp '2017-03-01 10:00:00' as at"
)


@pytest.mark.parametrize(
    ("form", "content"),
    [
        pytest.param("csv", "bon,pos,sku,qty,amount,at,mood\n" + ONE.strip() + ",ok\n", id="csv"),
        pytest.param("jsonl", as_jsonl(MILK | {"mood": "ok"}), id="jsonl"),
        pytest.param("parquet", as_parquet(f"{MILK_SELECT}, 'ok' as mood"), id="parquet"),
        pytest.param("json", json.dumps([MILK | {"mood": "ok"}]), id="json"),
    ],
)
@pytest.mark.parametrize("policy", ["note", "freeze"])
def test_a_new_column_is_noted_or_holds_the_file_back(
    bench_for: MakeBench, form: str, content: str | bytes, policy: str
) -> None:
    till = bench_for(**LINES | {"format": form, "files": "*", "drift": {"new_column": policy}})
    till.deliver("a.file", content)
    outcome = till.load()
    if policy == "freeze":
        assert ledger(till) == [(0, 0, 0, 0, "quarantined", "new column: mood")]
        assert outcome.quarantined == (("a.file", "new column: mood"),)
        return
    assert ledger(till) == [(1, 1, 0, 0, "loaded", None)]
    assert till.rows("select kind, column_name from ops.file_drift") == [("new_column", "mood")]
    assert till.rows("select message from ops.alarm") == [("unknown columns were left out: mood",)]


WITHOUT_PRICE = "bon,pos,sku,qty,amount,at\n" + ONE


@pytest.mark.parametrize(
    ("form", "content"),
    [
        pytest.param("csv", WITHOUT_PRICE, id="plain csv"),
        pytest.param("csv", WITHOUT_PRICE.replace("milk", '"milk"'), id="quoted csv"),
        pytest.param("csv", WITHOUT_PRICE.replace("milk", 'mi"l"k'), id="csv of the splitter"),
        pytest.param("jsonl", as_jsonl(MILK), id="jsonl"),
        pytest.param("parquet", as_parquet(MILK_SELECT), id="parquet"),
        pytest.param("json", json.dumps([MILK]), id="json"),
    ],
)
@pytest.mark.parametrize("policy", ["note", "freeze"])
def test_a_missing_column_is_empty_or_holds_the_file_back(
    bench_for: MakeBench, form: str, content: str | bytes, policy: str
) -> None:
    till = till_with(bench_for, {"missing_column": policy}, format=form, files="*")
    till.deliver("a.file", content)
    till.load()
    if policy == "freeze":
        assert ledger(till) == [(0, 0, 0, 0, "quarantined", "column missing: price")]
        return
    assert ledger(till) == [(1, 1, 0, 0, "loaded", None)]
    assert till.rows("select quantity, unit_price from raw.pos_standard__line") == [(2, None)]
    assert till.rows("select kind, column_name from ops.file_drift") == [
        ("missing_column", "price")
    ]
    assert till.rows("select message from ops.alarm") == [
        ("columns were missing and are empty: price",)
    ]


def test_json_without_a_key_is_no_drift_where_the_feed_says_nothing_of_it(
    bench_for: MakeBench,
) -> None:
    till = till_with(bench_for, {}, format="jsonl", files="*")
    till.deliver("a.jsonl", as_jsonl(MILK))
    till.load()
    assert ledger(till) == [(1, 1, 0, 0, "loaded", None)]
    assert till.rows("select count(*) from ops.file_drift") == [(0,)]


def test_a_required_field_of_a_missing_column_rejects_row_by_row(bench_for: MakeBench) -> None:
    arrival = {"complete_by": "rename", "reject_threshold": 1}
    till = bench_for(**LINES | {"drift": {"missing_column": "note"}, "arrival": arrival})
    till.deliver("a.csv", "bon,pos,sku,amount,at\nR1,1,milk,3.50,2017-03-01\n")
    till.load()
    assert ledger(till) == [(1, 0, 1, 0, "loaded", None)]
    assert till.rows("select column_name, error_code from ops.rejects") == [("quantity", "missing")]


def test_a_file_of_other_columns_altogether_is_held_back_whatever_the_policy(
    bench_for: MakeBench,
) -> None:
    till = bench_for(**LINES | {"drift": {"missing_column": "note"}})
    till.deliver("a.csv", "colour,shape\nred,round\n")
    till.load()
    assert ledger(till) == [
        (0, 0, 0, 0, "quarantined", "none of the feed's columns is there"),
    ]


def test_a_new_column_of_card_secrets_is_named_and_its_file_is_not_kept(
    bench_for: MakeBench,
) -> None:
    till = bench_for(**LINES | {"format": "jsonl", "files": "*", "drift": {"new_column": "freeze"}})
    filler = [MILK | {"pos": number, "sku": "x" * 900} for number in range(1, 100)]
    till.deliver("a.jsonl", as_jsonl(*filler, MILK | {"pos": 100, "cvv": "123"}))
    till.load()
    assert ledger(till) == [(0, 0, 0, 0, "quarantined", "new column: cvv")]
    assert [path for path in till.warehouse.home.store.rglob("*") if path.is_file()] == []


def test_a_bad_value_rejects_its_record_unless_the_feed_says_otherwise(
    bench_for: MakeBench,
) -> None:
    till = till_with(bench_for, {})
    till.deliver("a.csv", PRICED + PRICED_ROWS)
    till.load()
    assert ledger(till) == [(3, 2, 1, 0, "loaded", None)]
    assert till.rows(PRICES) == [("bread", "2.1000"), ("milk", "1.7500")]


def test_a_bad_value_holds_the_file_back_naming_its_first_line(bench_for: MakeBench) -> None:
    till = till_with(bench_for, {"fields": {"unit_price": "freeze"}})
    till.deliver("a.csv", PRICED + PRICED_ROWS)
    till.load()
    reason = "line 3, column unit_price: not a number (bad_number)"
    assert ledger(till) == [(3, 0, 3, 0, "quarantined", reason)]
    assert till.rows(PRODUCTS) == []
    assert till.rows("select first_line, error_code, disposition from ops.rejects") == [
        (3, "bad_number", "record")
    ]


def test_a_value_that_holds_the_file_back_is_seen_behind_one_that_rejects_the_record(
    bench_for: MakeBench,
) -> None:
    till = till_with(bench_for, {"fields": {"unit_price": "freeze"}})
    till.deliver("a.csv", PRICED + PRICED_ROWS.replace("R1,2,tea,1,", "R1,2,tea,one,"))
    till.load()
    assert [row[4:] for row in ledger(till)] == [
        ("quarantined", "line 3, column unit_price: not a number (bad_number)")
    ]


def test_other_files_of_the_batch_come_in_beside_one_held_back_for_a_value(
    bench_for: MakeBench,
) -> None:
    till = till_with(bench_for, {"bad_value": "freeze"})
    till.deliver("a.csv", PRICED + PRICED_ROWS)
    till.deliver("b.csv", PRICED + "R9,1,salt,1,0.50,2017-03-01 10:00:00,0.50\n")
    till.load()
    assert [row[:5] for row in ledger(till)] == [
        (3, 0, 3, 0, "quarantined"),
        (1, 1, 0, 0, "loaded"),
    ]
    assert till.rows(PRODUCTS) == [("salt",)]


def test_a_discarded_value_leaves_its_record_in_and_is_told_with_its_place(
    bench_for: MakeBench,
) -> None:
    till = till_with(bench_for, {"bad_value": "discard_value"})
    till.deliver("a.csv", PRICED + PRICED_ROWS)
    outcome = till.load()
    assert ledger(till) == [(3, 3, 0, 0, "loaded", None)]
    assert outcome.reject_reasons == ()
    assert till.rows(PRICES) == [("bread", "2.1000"), ("milk", "1.7500"), ("tea", None)]
    [(number, first, column, code, raw, disposition)] = till.rows(
        "select record_number, first_line, column_name, error_code, raw_record, disposition "
        "from ops.rejects"
    )
    assert (number, first, column, code) == (2, 3, "unit_price", "bad_number")
    assert json.loads(raw)["price"] == "4.x"
    assert disposition == "value"
    assert till.rows("select message from ops.alarm") == [("1 bad values were left out",)]


def test_a_required_field_cannot_do_without_its_value(bench_for: MakeBench) -> None:
    till = till_with(bench_for, {"bad_value": "discard_value"})
    till.deliver("a.csv", PRICED + PRICED_ROWS.replace("R1,2,tea,1,", "R1,2,tea,one,"))
    till.load()
    assert ledger(till) == [(3, 2, 1, 0, "loaded", None)]
    assert till.rows("select column_name, disposition from ops.rejects") == [("quantity", "record")]


def test_values_outside_the_bounds_and_fractions_of_whole_numbers_are_discarded_too(
    bench_for: MakeBench,
) -> None:
    receipts = {
        "feed": "tickets", "description": "Receipts.", "sender": "corner", "owner": "test",
        "template": "pos_standard", "format": "csv", "files": "*.csv",
        "arrival": {"complete_by": "rename"}, "drift": {"bad_value": "discard_value"},
        "columns": {"bon": [], "at": [], "people": []},
        "records": {"receipt": {"fields": {
            "receipt_id": "bon", "receipt_type": "'sale'", "store_code": "'S1'", "sold_at": "at",
            "currency_code": "'EUR'", "guest_count": "people",
        }}},
    }  # fmt: skip
    desk = bench_for(**receipts)
    desk.deliver("a.csv", "bon,at,people\nA,2017-03-01,2\nB,2017-03-01,-1\nC,2017-03-01,1.5\n")
    desk.load()
    assert desk.rows(
        "select receipt_id, guest_count from raw.pos_standard__receipt order by 1"
    ) == [("A", 2), ("B", None), ("C", None)]
    assert desk.rows("select record_number, error_code from ops.rejects order by 1") == [
        (2, "below_minimum"),
        (3, "bad_integer"),
    ]


def test_a_replay_after_a_correction_puts_the_value_in_and_a_second_one_changes_nothing(
    bench_for: MakeBench,
) -> None:
    till = till_with(bench_for, {"bad_value": "discard_value"})
    till.deliver("a.csv", PRICED + PRICED_ROWS)
    till.load()
    fields = till.feed.records["line"].fields | {"unit_price": "replace(price, 'x', '5')"}
    line_record = till.feed.records["line"].model_copy(update={"fields": fields})
    fixed = till.feed.model_copy(update={"records": {"line": line_record}})

    unchanged = replay_feed(till.warehouse, till.feed, till.template)
    first = replay_feed(till.warehouse, fixed, till.template)
    after = till.rows(PRICES)
    second = replay_feed(till.warehouse, fixed, till.template)

    assert (unchanged.loaded_count, unchanged.batch_ids) == (0, ())
    assert (first.loaded_count, first.duplicate_count) == (1, 2)
    assert after == [("bread", "2.1000"), ("milk", "1.7500"), ("tea", "4.5000")]
    assert ledger(till) == [(3, 3, 0, 0, "loaded", None)]
    assert till.rows("select count(*), count(replayed_batch_id) from ops.rejects") == [(1, 1)]
    assert till.rows("select count(*) from ops.raw_conflict") == [(0,)]
    assert (second.file_count, second.batch_ids) == (0, ())
    assert till.rows(PRICES) == after


def test_a_check_tells_of_policies_without_writing(bench_for: MakeBench) -> None:
    till = till_with(bench_for, {"bad_value": "discard_value", "missing_column": "note"})
    path = till.deliver("a.csv", PRICED + PRICED_ROWS)
    other = till.deliver("b.csv", WITHOUT_PRICE)

    outcome = check_feed_file(till.feed, till.template, path, till.warehouse.home)
    without = check_feed_file(till.feed, till.template, other, till.warehouse.home)

    assert (outcome.accepted_count, outcome.rejected_count) == (3, 0)
    assert outcome.discarded_values == ((3, "unit_price", "bad_number"),)
    assert without.missing_columns == ("price",)
    assert till.rows("select count(*) from ops.rejects") == [(0,)]


def test_an_older_warehouse_gets_what_its_tables_lack(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        connection.execute("alter table ops.rejects drop column disposition")
        connection.execute("drop table ops.file_drift")
        connection.execute("drop table ops.feed_finding")
        connection.execute(
            "insert into ops.rejects values (1, 'f', 'a', 1, 2, 2, 9, 'line', 'quantity', "
            "'missing', 'm', null, 1, null)"
        )
    Warehouse(warehouse.home, TEST_KEY).create()
    with warehouse.connect(read_only=True) as connection:
        kept = connection.execute("select reject_key, disposition from ops.rejects").fetchall()
        connection.execute("select * from ops.file_drift, ops.feed_finding")
    assert kept == [(1, "record")]


def test_a_personal_value_that_is_discarded_is_told_of_without_it(bench_for: MakeBench) -> None:
    members = {
        "feed": "cards", "description": "Members.", "sender": "club", "owner": "test",
        "template": "member", "format": "csv", "files": "*.csv",
        "arrival": {"complete_by": "rename"}, "drift": {"fields": {"birth_date": "discard_value"}},
        "columns": {"no": [], "born": [], "seen": []},
        "records": {"member": {"fields": {
            "member_number": "no", "birth_date": "born", "updated_at": "seen",
        }}},
    }  # fmt: skip
    club = bench_for(**members)
    club.deliver("a.csv", "no,born,seen\nM1,1984-05-06,2017-03-01\nM2,6th of May,2017-03-01\n")
    club.load()
    assert club.rows("select birth_date_decade from raw.member__member order by 1") == [
        (1980,),
        (None,),
    ]
    [(raw, column, disposition)] = club.rows(
        "select raw_record, column_name, disposition from ops.rejects"
    )
    assert json.loads(raw) == {"seen": "2017-03-01"}
    assert (column, disposition) == ("birth_date", "value")
