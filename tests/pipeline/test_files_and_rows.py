"""Loaded files and their rows in raw: every way to load agrees, every loss and surplus is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from dagster_project.core.declarations import Feed, Template
from dagster_project.core.feeds import replay_feed
from dagster_project.core.quality.reconciling import files_and_rows, miscounted_files
from tests.conftest import Bench, shipped_templates
from tests.pipeline.till_lines import HEADER, LINES, ONE, THREE, TWO, MakeBench

TEA_AMOUNT = "R9,1,tea,1,{},2017-03-01\n"
GERMAN = TEA_AMOUNT.format('"2,40"')
RECEIPT = {
    "receipt_id": "bon",
    "receipt_type": "'sale'",
    "store_code": "'S1'",
    "currency_code": "'EUR'",
    "sold_at": "at",
}
Found = list[tuple[int, int]]


def mapped(**fields: str) -> dict[str, Any]:
    """Lines and their receipts, with other expressions for some fields of a line."""
    line = {"fields": LINES["records"]["line"]["fields"] | fields}
    return LINES | {"records": {"line": line, "receipt": {"fields": RECEIPT}}}


def miscounted(
    bench: Bench, *damage: str, templates: Mapping[str, Template] | None = None
) -> Found:
    """Counted and found records of the files that differ after some statements, then undone."""
    with bench.warehouse.connect() as connection:
        connection.execute("begin")
        for statement in damage:
            connection.execute(statement)
        found = miscounted_files(connection, templates or shipped_templates())
        connection.execute("rollback")
    return [(one.loaded_count, one.record_count) for one in found]


@pytest.fixture
def till(bench_for: MakeBench) -> Bench:
    """Three lines of two receipts; a file with a gap; a repetition; a file held back; an empty one.

    In raw: lines 1 to 3 of the first file, line 2 of the second, the receipts beside them.
    """
    made = bench_for(**mapped())
    made.deliver("a.csv", HEADER + ONE + TWO + THREE)
    made.deliver("b.csv", HEADER + GERMAN + ONE.replace("R1", "R3") + THREE)
    made.deliver("c.csv", HEADER + ONE + TWO + THREE)
    made.deliver("d.csv", HEADER.replace("sku", "article") + ONE)
    made.deliver("e.csv", HEADER)
    made.load()
    assert sorted(
        made.rows(
            "select status, loaded_count, rejected_count, duplicate_count from ops.file_ledger"
        )
    ) == [
        ("duplicate", 0, 0, 3),
        ("loaded", 0, 0, 0),
        ("loaded", 1, 1, 1),
        ("loaded", 3, 0, 0),
        ("quarantined", 0, 0, 0),
    ]
    return made


LINE = "raw.pos_standard__line"
THIRD = "product_code = 'bread'"
DAMAGED: dict[str, tuple[str, Found]] = {
    "the last line of a file is lost": (
        f"delete from {LINE} where {THIRD}; delete from raw.pos_standard__receipt "
        "where receipt_id = 'R2'",
        [(3, 2)],
    ),
    "a line between others is lost, whose receipt an earlier one brought": (
        f"delete from {LINE} where product_code = 'tea'",
        [(3, 2)],
    ),
    "all lines are lost, two receipts are left": (f"delete from {LINE}", [(3, 2)]),
    "both tables are empty": (
        f"delete from {LINE}; delete from raw.pos_standard__receipt",
        [(1, 0), (3, 0)],
    ),
    "a line stands under the number of another": (
        f"update {LINE} set _record_number = 1 where product_code = 'tea'",
        [(3, 2)],
    ),
    "a line too many": (
        f"insert into {LINE} select * replace (4 as _record_number) from {LINE} where {THIRD}",
        [(3, 4)],
    ),
    "the book has one too many": (
        "update ops.file_ledger set loaded_count = 4, physical_count = 4 where loaded_count = 3",
        [(4, 3)],
    ),
    "the file of a row is another one": (
        f"update {LINE} set _file_id = (select file_id from ops.file_ledger "
        f"where loaded_count = 1) where {THIRD}; update raw.pos_standard__receipt "
        "set _file_id = (select file_id from ops.file_ledger where loaded_count = 1) "
        "where receipt_id = 'R2'",
        [(1, 2), (3, 2)],
    ),
    "a row that is loaded twice is no other record": (
        f"insert into {LINE} from {LINE} where {THIRD}",
        [],
    ),
    "a row that came with no file": (
        f"insert into {LINE} select * replace ('hand' as _file_id) from {LINE}",
        [],
    ),
}


def test_what_was_loaded_is_in_raw_and_the_result_says_of_how_many_files(till: Bench) -> None:
    with till.warehouse.connect(read_only=True) as connection:
        [result] = files_and_rows(connection, shipped_templates())
    assert (result.has_passed, result.failed_count, result.row_count) == (True, 0, 3)
    assert (result.schema_name, result.table_name) == ("ops", "file_ledger")


def test_a_lost_record_blocks(till: Bench) -> None:
    with till.warehouse.connect() as connection:
        connection.execute(f"delete from {LINE} where product_code = 'tea'")
        [result] = files_and_rows(connection, shipped_templates())
    assert (result.has_passed, result.failed_count, result.row_count) == (False, 1, 3)
    assert (result.is_blocking, result.severity) == (True, "error")


@pytest.mark.parametrize(("damage", "found"), DAMAGED.values(), ids=DAMAGED.keys())
def test_what_is_missing_or_too_many_is_found(till: Bench, damage: str, found: Found) -> None:
    assert sorted(miscounted(till, damage)) == found


def test_a_custom_template_fills_the_tables_of_another(bench_for: MakeBench) -> None:
    cinema = bench_for(**mapped() | {"feed": "films", "template": "pos_cinema"})
    cinema.deliver("a.csv", HEADER + ONE + THREE)
    cinema.load()
    assert miscounted(cinema) == []
    assert miscounted(cinema, f"delete from {LINE} where {THIRD}") == []
    lost = f"delete from {LINE} where {THIRD}; delete from raw.pos_standard__receipt"
    assert miscounted(cinema, lost) == [(2, 1)]


def test_tables_that_are_not_there_have_no_rows(till: Bench) -> None:
    assert sorted(miscounted(till, "drop schema raw cascade")) == [(1, 0), (3, 0)]


ERASED = "insert into ops.batch values (nextval('ops.batch_sequence'), 'erasure', now(), 0, 0)"


def test_an_erasure_may_have_taken_rows_of_what_was_loaded_before_it(till: Bench) -> None:
    assert miscounted(till, f"delete from {LINE} where product_code = 'tea'", ERASED) == []
    too_many = (
        f"insert into {LINE} select * replace (4 as _record_number) from {LINE} where {THIRD}"
    )
    assert miscounted(till, too_many, ERASED) == [(3, 4)]

    with till.warehouse.connect() as connection:
        connection.execute(ERASED)
    till.deliver("f.csv", HEADER + ONE.replace("R1", "R7") + THREE.replace("R2", "R8"))
    till.load()
    assert miscounted(till) == []
    lost = f"delete from {LINE} where receipt_id in ('R1', 'R8'); "
    lost += "delete from raw.pos_standard__receipt where receipt_id in ('R1', 'R8')"
    assert miscounted(till, lost) == [(2, 1)]


def test_a_replay_adds_to_the_records_of_its_file(till: Bench) -> None:
    corrected = Feed(**mapped(list_amount="replace(amount, ',', '.')"))
    replay_feed(till.warehouse, corrected, till.template)

    assert till.rows("select max(loaded_count) from ops.file_ledger where rejected_count = 0") == [
        (3,)
    ]
    assert miscounted(till) == []
    # Records 1 and 2 of the second file, of two loads; its third was known before.
    both = "delete from {} where receipt_id = '{}'"
    for receipt in ("R3", "R9"):
        lost = [both.format(table, receipt) for table in (LINE, "raw.pos_standard__receipt")]
        assert miscounted(till, *lost) == [(2, 1)]


def test_a_replay_that_loads_a_record_anew_counts_it_once_more(bench_for: MakeBench) -> None:
    till = bench_for(**mapped())
    till.deliver("a.csv", HEADER + THREE)
    till.deliver("b.csv", HEADER + GERMAN + ONE + THREE)
    till.load()
    other = mapped(
        list_amount="replace(amount, ',', '.')",
        product_code="case when sku = 'milk' then 'oats' else sku end",
    )
    replay_feed(till.warehouse, Feed(**other), till.template)

    # Loaded were milk, then tea and oats: milk and oats are one record, bread was known before.
    books = "select loaded_count, duplicate_count from ops.file_ledger order by 1"
    assert till.rows(books) == [(1, 0), (3, 0)]
    assert miscounted(till) == []
    # The receipts of tea and milk stand for records too, but not for oats.
    lost = f"delete from {LINE} where product_code in ('milk', 'oats')"
    assert miscounted(till, lost) == [(3, 2)]
    assert miscounted(till, lost, "delete from raw.pos_standard__receipt") == [(3, 1)]


def test_a_file_that_is_loaded_by_two_versions_and_then_put_right_is_not_short(
    bench_for: MakeBench,
) -> None:
    line = LINES["records"]["line"]["fields"] | {"unit_price": "amount", "list_amount": "qty"}
    declared = LINES | {
        "drift": {"bad_value": "discard_value"},
        "records": {"line": {"fields": line}},
    }
    till = bench_for(**declared)
    till.deliver("a.csv", HEADER + ONE + TEA_AMOUNT.format("4.x") + THREE)
    till.load()
    # The next version names the products otherwise, so that every record is new once more.
    spelled = {"product_code": "upper(sku)"}
    newer = Feed(**declared | {"records": {"line": {"fields": line | spelled}}})
    second = replace(till, feed=newer.model_copy(update={"template_version": 2}))
    second.deliver("a again.csv", HEADER + ONE + TEA_AMOUNT.format("4.x") + THREE)
    second.load()
    assert till.rows("select status, loaded_count from ops.file_ledger") == [("loaded", 3)] * 2
    assert miscounted(till) == []

    fixed = spelled | {"unit_price": "replace(amount, 'x', '5')"}
    third = Feed(**declared | {"records": {"line": {"fields": line | fixed}}})
    replay_feed(till.warehouse, third.model_copy(update={"template_version": 2}), till.template)
    assert till.rows(f"select count(*) from {LINE}") == [(5,)]
    assert miscounted(till) == []
    assert miscounted(till, f"delete from {LINE} where lower(product_code) = 'milk'") == [(6, 3)]
