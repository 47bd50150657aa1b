"""A withdrawn file is as if it had never come; nothing that others said again is lost with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dagster_project.core.feeds.store import original_path
from dagster_project.core.withdrawing import WithdrawalError, Withdrawn, withdraw_file
from tests.conftest import Bench
from tests.pipeline.till_lines import HEADER, LINES, ONE, THREE

MakeBench = Callable[..., Bench]
WRONG = ONE.replace("3.50", "350.00")


@pytest.fixture
def till(bench_for: MakeBench) -> Bench:
    return bench_for(**LINES)


def withdraw(till: Bench, file: str) -> Withdrawn:
    name = till.feed.feed
    return withdraw_file(
        till.warehouse, name, file, {name: till.feed}, {till.template.template: till.template}
    )


def raw(till: Bench) -> list[tuple[Any, ...]]:
    return till.rows("select _record_key, _content_hash from raw.pos_standard__line order by all")


def ledger(till: Bench) -> list[tuple[Any, ...]]:
    return till.rows(
        "select original_name, status, loaded_count, duplicate_count from ops.file_ledger "
        "order by arrived_at, original_name"
    )


def test_a_correction_after_a_withdrawal_is_all_there_is(till: Bench) -> None:
    till.deliver("a.csv", HEADER + THREE)
    till.load()
    before = raw(till)
    till.deliver("b.csv", HEADER + WRONG)
    till.load()
    assert len(raw(till)) == len(before) + 1

    outcome = withdraw(till, "b.csv")

    assert (outcome.row_count, outcome.returned_count) == (1, 0)
    assert raw(till) == before
    assert ledger(till)[-1] == ("b.csv", "superseded", 1, 0)
    assert till.rows("select count(*) from ops.raw_conflict") == [(0,)]


def test_versions_of_a_key_are_no_conflict_when_one_of_them_is_gone(till: Bench) -> None:
    till.deliver("a.csv", HEADER + ONE)
    till.load()
    before = raw(till)
    till.deliver("b.csv", HEADER + WRONG)
    till.load()
    assert till.rows("select count(*) from ops.raw_conflict") == [(1,)]

    withdraw(till, "b.csv")

    assert raw(till) == before
    assert till.rows("select count(*) from ops.raw_conflict") == [(0,)]


def test_records_that_another_file_repeated_come_in_from_it(till: Bench) -> None:
    till.deliver("a.csv", HEADER + ONE)
    till.load()
    till.deliver("b.csv", HEADER + ONE + THREE)
    till.load()
    before = raw(till)
    assert ledger(till) == [("a.csv", "loaded", 1, 0), ("b.csv", "loaded", 1, 1)]

    outcome = withdraw(till, "a.csv")

    assert (outcome.row_count, outcome.returned_count) == (1, 1)
    assert raw(till) == before
    assert ledger(till) == [("a.csv", "superseded", 1, 0), ("b.csv", "loaded", 2, 0)]


def test_a_withdrawn_file_can_be_delivered_again(till: Bench) -> None:
    till.deliver("a.csv", HEADER + ONE)
    till.load()
    before = raw(till)
    withdraw(till, "a.csv")
    till.deliver("a.csv", HEADER + ONE)
    till.load()

    assert raw(till) == before
    assert [status for _, status, *_ in ledger(till)] == ["superseded", "loaded"]


def test_withdrawing_twice_changes_nothing_more(till: Bench) -> None:
    till.deliver("a.csv", HEADER + ONE)
    till.load()
    withdraw(till, "a.csv")
    state = "select (select count(*) from ops.batch), (select count(*) from raw.pos_standard__line)"
    before = till.rows(state)

    outcome = withdraw(till, "a.csv")

    assert (outcome.row_count, outcome.returned_count) == (0, 0)
    assert till.rows(state) == before


def test_nothing_is_taken_out_where_a_record_could_be_lost(till: Bench) -> None:
    till.deliver("a.csv", HEADER + ONE)
    till.load()
    till.deliver("b.csv", HEADER + ONE + THREE)
    till.load()
    before = raw(till)
    [(file_id,)] = till.rows("select file_id from ops.file_ledger where original_name = 'b.csv'")
    original_path(till.warehouse.home, file_id).unlink()

    with pytest.raises(WithdrawalError, match=r"b\.csv .* its original is no longer kept"):
        withdraw(till, "a.csv")

    assert raw(till) == before


def test_a_file_that_is_not_there_or_is_not_one_is_named(till: Bench) -> None:
    till.deliver("a.csv", HEADER + ONE)
    till.load()
    till.deliver("a.csv", HEADER + THREE)
    till.load()

    with pytest.raises(WithdrawalError, match=r"has no loaded file 'c\.csv'"):
        withdraw(till, "c.csv")
    with pytest.raises(WithdrawalError, match=r"has several files 'a\.csv'; name one by its id"):
        withdraw(till, "a.csv")
    [(file_id,)] = till.rows("select file_id from ops.file_ledger order by arrived_at desc limit 1")
    assert withdraw(till, file_id[:12]).row_count == 1


def test_the_next_build_is_of_everything(till: Bench) -> None:
    till.deliver("a.csv", HEADER + ONE)
    till.load()
    with till.warehouse.connect() as connection:
        connection.execute("insert into ops.build_state values ('models', 1, 'code', now())")

    withdraw(till, "a.csv")

    assert till.rows("select build, fingerprint from ops.build_state") == [("models", "withdrawal")]
