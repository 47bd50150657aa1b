"""Reconciliations as dbt compiles them: sound books pass, and each way to cook them is caught."""

from __future__ import annotations

import pytest
from small_warehouse import SmallWarehouse

pytestmark = pytest.mark.long  # dbt reads its whole project first

FEED_IN_OUT = "every_record_that_came_in_is_accounted_for"
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
        "update ops.file_ledger set duplicate_count = 7 where status = 'duplicate'",
        ["a"],
    ),
    "a file held back and yet loaded": (
        "update ops.file_ledger set physical_count = 4, loaded_count = 4 where file_id = 'b'",
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


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallWarehouse:
    """A warehouse with the books of one feed, and the models that the reconciliation reads."""
    made = SmallWarehouse(tmp_path_factory.mktemp("books"))
    with made.warehouse.connect() as connection:
        for statement in BOOKS:
            connection.execute(statement)
    run = made.dbt("build", "--select", f"+{FEED_IN_OUT}")
    assert run.exit_code == 0, run.words
    assert any(FEED_IN_OUT in name for name in run.results())
    return made


def compiled(small: SmallWarehouse) -> str:
    """The reconciliation in the SQL that dbt has run."""
    return next(small.home.dbt_target.rglob(f"compiled/**/{FEED_IN_OUT}.sql")).read_text("utf-8")


def test_books_that_add_up_pass(small):
    assert small.query(compiled(small)) == []


@pytest.mark.parametrize(("statement", "files"), COOKED.values(), ids=COOKED.keys())
def test_what_does_not_add_up_is_named_by_its_file(small, statement, files):
    with small.warehouse.connect() as connection:
        connection.execute("begin")
        connection.execute(statement)
        found = connection.execute(compiled(small)).fetchall()
        connection.execute("rollback")

    assert [file_id for _, file_id in found] == files
