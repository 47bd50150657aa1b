"""Reconciliations as dbt compiles them: sound books pass, and each way to cook them is caught."""

from __future__ import annotations

import json
from typing import Any

import pytest
from small_warehouse import SmallWarehouse

pytestmark = pytest.mark.long  # dbt reads its whole project first

FEED_IN_OUT = "every_record_that_came_in_is_accounted_for"
BILLS = "every_bill_has_the_lines_it_came_with"
# Of a feed: 5 records loaded, 2 refused, 1 known before; a repetition; a file held back unread.
BOOKS = (
    """
    insert into ops.file_ledger by name
    select
        file_id, 'tills' as feed, file_id || '.csv' as original_name, 1 as size_bytes,
        now() as arrived_at, physical as physical_count, loaded as loaded_count,
        rejected as rejected_count, known as duplicate_count, status
    from (values
        ('a', 8, 5, 2, 1, 'loaded'),
        ('a', 8, 0, 0, 8, 'duplicate'),
        ('b', 0, 0, 0, 0, 'quarantined'),
        ('c', 3, 3, 0, 0, 'loaded')
    ) as files(file_id, physical, loaded, rejected, known, status)
    """,
    """
    insert into ops.rejects by name
    select
        row_number() over () as reject_key, 'tills' as feed, file_id, number as record_number,
        1 as first_line, 1 as last_line, 'line' as record, 'not_a_number' as error_code,
        'is no number' as message, 1 as batch_id, replayed as replayed_batch_id, disposition
    from (values
        ('a', 3, null, 'record'),
        ('a', 4, null, 'record'),
        ('a', 4, null, 'record'),
        ('a', 7, null, 'value'),
        ('c', 1, 9, 'record')
    ) as rejects(file_id, number, replayed, disposition)
    """,
)
COOKED = {
    "a repetition that is a record short": (
        "update staging.stg_ops__files set duplicate_count = 7 where status = 'duplicate'",
        ["a"],
    ),
    "a file held back and yet loaded": (
        "update staging.stg_ops__files set physical_count = 4, loaded_count = 4 "
        "where file_id = 'b'",
        ["b"],
    ),
    "a record that was refused without a reject": (
        "delete from ops.rejects where file_id = 'a' and record_number = 4",
        ["a"],
    ),
    "a record counted as loaded that is still refused": (
        "update ops.rejects set replayed_batch_id = null where file_id = 'c'",
        ["c"],
    ),
}
BILL_LINES: list[dict[str, Any]] = [
    {"provider": provider, "reference_number": reference, "line_type": "payment",
     "settled_at": f"2017-03-0{day} 12:00:00+00", "currency_code": "CNY", "gross_amount": gross,
     "fee_amount": fee, "net_amount": net, "settlement_batch_id": payout}
    for provider, reference, day, gross, fee, net, payout in (
        ("acquirer", "r1", 1, "100.00", "0.60", "99.40", "P7"),
        ("acquirer", "r2", 2, "50.00", "0.30", "49.70", "P7"),
        ("wechat", "r3", 1, "20.00", "0.12", "19.88", None),
        ("wechat", "r4", 2, "20.00", "0.12", "19.88", None),
    )
]  # fmt: skip
# The first line came once more as it was, the second with another fee: neither adds a line.
COME_AGAIN = [BILL_LINES[0], BILL_LINES[1] | {"fee_amount": "0.40", "net_amount": "49.60"}]
PAYOUT = ("s", "acquirer", "CNY", "P7")
# 1 March 2017 is day 17,226 since 1970 and 2 March the one after.
FIRST_DAY, SECOND_DAY = (("s", "wechat", "CNY", f"day {day}") for day in (17226, 17227))
FORGED = {
    "a line that the star has lost": (
        "delete from core.fct_settlement_line where reference_number = 'r1'",
        [PAYOUT],
    ),
    "a line that stands twice": (
        "insert into core.fct_settlement_line from core.fct_settlement_line "
        "where reference_number = 'r4'",
        [SECOND_DAY],
    ),
    "a cent that moved from payout to fee": (
        "update core.fct_settlement_line set fee_amount = fee_amount + 0.01, "
        "net_amount = net_amount - 0.01 where reference_number = 'r2'",
        [PAYOUT],
    ),
    "a line that moved to the bill of another day": (
        "update core.fct_settlement_line set settled_at = settled_at - interval 1 day "
        "where reference_number = 'r4'",
        [FIRST_DAY, SECOND_DAY],
    ),
    "two lines that differ by as much, in gross alone": (
        "update core.fct_settlement_line set gross_amount = gross_amount + 1 "
        "where reference_number in ('r3', 'r4')",
        [FIRST_DAY, SECOND_DAY],
    ),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallWarehouse:
    """A warehouse with the books of one feed and some bills, and the models that are judged."""
    made = SmallWarehouse(tmp_path_factory.mktemp("books"))
    with made.warehouse.connect() as connection:
        for statement in BOOKS:
            connection.execute(statement)
    for batch, lines in enumerate((BILL_LINES, COME_AGAIN), start=1):
        made.deliver("settlement_line__line", lines, batch=batch)
    wanted = [f"+{name}" for name in (FEED_IN_OUT, BILLS)]
    run = made.dbt("build", "--indirect-selection", "cautious", "--select", *wanted)
    assert run.exit_code == 0, run.words
    ran = {name.split(".")[2] for name in run.results() if name.startswith("test.")}
    assert {FEED_IN_OUT, BILLS} <= ran
    return made


def compiled(small: SmallWarehouse, name: str) -> str:
    """A reconciliation in the SQL that dbt has run."""
    return next(small.home.dbt_target.rglob(f"compiled/**/{name}.sql")).read_text("utf-8")


def after(small: SmallWarehouse, statement: str, name: str) -> list[tuple[Any, ...]]:
    """What a reconciliation finds after a statement, which is then undone."""
    with small.warehouse.connect() as connection:
        connection.execute("begin")
        connection.execute(statement)
        found = connection.execute(compiled(small, name)).fetchall()
        connection.execute("rollback")
    return sorted(found)


def test_every_reconciliation_reads_a_table_or_it_is_not_judged_again(small):
    manifest = json.loads((small.home.dbt_target / "manifest.json").read_text("utf-8"))
    nodes = manifest["nodes"]
    reads = {
        node["name"]: [
            nodes[parent]["config"]["materialized"] if parent in nodes else "source"
            for parent in node["depends_on"]["nodes"]
        ]
        for node in nodes.values()
        if node["original_file_path"].startswith("tests/")
    }
    assert {FEED_IN_OUT, BILLS} <= set(reads)
    assert [name for name, read in reads.items() if set(read) <= {"view"}] == []


@pytest.mark.parametrize("name", [FEED_IN_OUT, BILLS])
def test_sound_books_pass(small, name):
    assert small.query(compiled(small, name)) == []


def test_the_star_has_the_bills_as_they_stand_after_repeats_and_corrections(small):
    assert small.query(
        "select settlement_batch_code, count(*), sum(gross_amount) from core.fct_settlement_line "
        "group by all order by all"
    ) == [("P7", 2, 150), ("wechat CNY 2017-03-01", 1, 20), ("wechat CNY 2017-03-02", 1, 20)]


@pytest.mark.parametrize(("statement", "files"), COOKED.values(), ids=COOKED.keys())
def test_what_does_not_add_up_is_named_by_its_file(small, statement, files):
    assert [file_id for _, file_id in after(small, statement, FEED_IN_OUT)] == files


@pytest.mark.parametrize(("statement", "bills"), FORGED.values(), ids=FORGED.keys())
def test_a_bill_that_lost_or_changed_a_line_is_named(small, statement, bills):
    assert after(small, statement, BILLS) == bills
