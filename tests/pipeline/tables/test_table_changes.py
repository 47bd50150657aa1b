"""What changes in a sender's table arrives once, and no load that is killed loses any of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from dagster_project.core.feeds import SourceError, load, waiting_files
from tests.conftest import Bench
from tests.pipeline.tables.members_club import (
    NOTHING,
    SHOWN,
    Club,
    KilledError,
    MakeBench,
    counts,
    documented_feed,
    kill,
)


def test_a_first_load_brings_every_row_and_a_second_one_no_file(bench: Bench, club: Club) -> None:
    club.add(1, "10:00", "gold", full_name="Ada", phone="+8613800138000")
    club.add(2, "10:05", "silver")

    assert counts(bench.load()) == (2, 2, 0, 0)
    before = bench.rows("select * from raw.member__member order by all")
    assert counts(bench.load()) == NOTHING
    assert counts(bench.load()) == NOTHING

    assert bench.rows("select * from raw.member__member order by all") == before
    assert bench.rows("select tier, status from raw.member__member order by tier") == [
        ("gold", "active"),
        ("silver", "active"),
    ]
    assert bench.rows("select value from vault.personal_value order by value") == [
        ("+8613800138000",), ("1",), ("2",), ("Ada",),
    ]  # fmt: skip
    assert bench.rows("select status, count(*) from ops.file_ledger group by 1") == [("loaded", 1)]
    assert waiting_files(bench.warehouse.home, bench.feed) == []


def test_an_update_is_a_new_version_of_its_row_alone(bench: Bench, club: Club) -> None:
    club.add(1, "10:00", "gold")
    club.add(2, "10:05", "silver")
    bench.load()
    club.run(
        "update club.member set tier = 'platinum', changed_at = '2024-05-01 11:00+00' where id = 2"
    )

    assert counts(bench.load()) == (1, 1, 0, 0)
    assert bench.rows(SHOWN) == [
        ("gold", "active", 600), ("silver", "active", 605), ("platinum", "active", 660),
    ]  # fmt: skip


def test_a_row_whose_cursor_equals_the_newest_one_comes_in_once(bench: Bench, club: Club) -> None:
    club.add(1, "10:00", "gold")
    bench.load()
    club.add(2, "10:00", "silver")

    assert counts(bench.load()) == (1, 1, 0, 0)
    assert counts(bench.load()) == NOTHING


def test_a_change_that_leaves_the_cursor_as_it_was_counts_from_when_it_was_seen(
    bench: Bench, club: Club
) -> None:
    club.add(1, "10:00", "gold")
    bench.load()
    club.run("update club.member set tier = 'platinum'")

    assert counts(bench.load()) == (1, 1, 0, 0)
    [(first, _), (second, is_later)] = bench.rows(
        "select tier, updated_at > '2024-05-01 10:00:00+00' from raw.member__member "
        "order by updated_at"
    )
    assert (first, second, is_later) == ("gold", "platinum", True)
    assert counts(bench.load()) == NOTHING


def test_a_transaction_that_commits_after_the_load_with_an_old_cursor_is_not_lost(
    bench: Bench, club: Club, server: str
) -> None:
    """Both began at nine: far below the overlap of what was taken meanwhile."""
    club.add(2, "08:00", "silver")
    import psycopg

    with psycopg.connect(server) as late:
        late.execute(
            "insert into club.member (id, changed_at, tier) "
            "values (3, '2024-05-01 09:00+00', 'new')"
        )
        late.execute(
            "update club.member set tier = 'bronze', changed_at = '2024-05-01 09:00+00' "
            "where id = 2"
        )
        club.add(1, "23:00", "gold")
        assert counts(bench.load()) == (2, 2, 0, 0)
        late.commit()

    assert counts(bench.load()) == (2, 2, 0, 0)
    assert bench.rows(SHOWN) == [
        ("silver", "active", 480), ("bronze", "active", 540), ("new", "active", 540),
        ("gold", "active", 1380),
    ]  # fmt: skip
    assert counts(bench.load()) == NOTHING


def test_a_row_without_a_cursor_value_is_read_too(bench_for: MakeBench, club: Club) -> None:
    timeless = documented_feed()
    timeless["records"]["member"]["fields"]["updated_at"] = (
        "coalesce(seen_at, changed_at, '2020-01-01')"
    )
    bench = bench_for(**timeless)
    club.add(1, "10:00", "gold")
    bench.load()
    club.run("insert into club.member (id, tier) values (2, 'silver')")

    assert counts(bench.load()) == (1, 1, 0, 0)
    assert counts(bench.load()) == NOTHING


def test_rows_of_a_file_that_is_held_back_are_offered_again(bench: Bench, club: Club) -> None:
    club.add(1, "10:00", "gold")
    bench.load()
    # The template cannot do without a time: one record of one is more than the feed lets pass.
    club.run("insert into club.member (id, tier) values (2, 'silver')")
    held_back = [bench.load().quarantined, bench.load().quarantined]
    club.run("update club.member set changed_at = '2024-05-01 11:00+00' where id = 2")

    assert [len(files) for files in held_back] == [1, 1]
    assert counts(bench.load()) == (1, 1, 0, 0)
    assert counts(bench.load()) == NOTHING


DELETED = (
    "select tier, status from raw.member__member "
    "where member_number_token = (select token from vault.personal_value where value = '2') "
    "order by updated_at"
)


def test_a_deleted_row_is_closed_and_one_that_comes_back_is_open_again(
    bench: Bench, club: Club
) -> None:
    for number, tier in ((1, "gold"), (2, "silver"), (3, "bronze")):
        club.add(number, "10:00", tier)
    bench.load()
    club.run("delete from club.member where id = 2")

    assert counts(bench.load()) == (1, 1, 0, 0)
    assert bench.rows(DELETED) == [("silver", "active"), (None, "closed")]
    assert counts(bench.load()) == NOTHING

    # Put back from a copy, with the very values it had: newer than its deletion all the same.
    club.add(2, "10:00", "silver")
    assert counts(bench.load()) == (1, 1, 0, 0)
    assert bench.rows(DELETED) == [
        ("silver", "active"), (None, "closed"), ("silver", "active"),
    ]  # fmt: skip
    assert counts(bench.load()) == NOTHING


def test_a_table_that_is_suddenly_empty_deletes_nobody(bench: Bench, club: Club) -> None:
    for number in range(1, 5):
        club.add(number, "10:00", "gold")
    bench.load()
    club.run("delete from club.member where id > 1")

    with pytest.raises(SourceError, match=r"3 of 4 rows of club\.member are gone at once"):
        bench.load()
    assert bench.rows("select count(*) from raw.member__member") == [(4,)]


def first_then_kill(real: Callable[..., Any]) -> Callable[..., Any]:
    calls: list[tuple[object, ...]] = []

    def call(*given: object) -> Any:
        calls.append(given)
        return real(*given) if len(calls) == 1 else kill()

    return call


@pytest.mark.parametrize("step", ["claim_files", "prepare", "write_batch", "note_rows", "release"])
def test_a_load_killed_after_reading_the_table_is_made_good_by_the_next(
    bench: Bench, club: Club, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    club.add(1, "10:00", "gold")
    bench.load()
    club.add(2, "10:05", "silver")
    club.run("update club.member set tier = 'platinum', changed_at = now() where id = 1")
    with monkeypatch.context() as patch:
        if step == "claim_files":
            # The first look finds nothing; killed before the second takes what was read.
            patch.setattr(load, step, first_then_kill(load.claim_files))
        else:
            patch.setattr(load, step, kill)
        with pytest.raises(KilledError):
            bench.load()
    club.add(3, "10:10", "bronze")

    bench.load()

    rows = bench.rows("select tier, count(*) from raw.member__member group by 1 order by 1")
    assert rows == [("bronze", 1), ("gold", 1), ("platinum", 1), ("silver", 1)]
    assert counts(bench.load()) == NOTHING
    assert waiting_files(bench.warehouse.home, bench.feed) == []


def test_a_load_killed_while_reading_leaves_no_file_and_no_gap(
    bench: Bench, club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    club.add(1, "10:00", "gold")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", kill)
        with pytest.raises(KilledError):
            bench.load()

    assert waiting_files(bench.warehouse.home, bench.feed) == []
    assert counts(bench.load()) == (1, 1, 0, 0)
    assert [path.name for path in bench.landing.iterdir() if path.is_file()] == []


def test_a_file_read_from_the_table_twice_changes_nothing(
    bench: Bench, club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    club.add(1, "10:00", "gold")
    with monkeypatch.context() as patch:
        patch.setattr(load, "prepare", kill)
        with pytest.raises(KilledError):
            bench.load()
    [waiting] = waiting_files(bench.warehouse.home, bench.feed)
    content = waiting.read_bytes()
    bench.load()
    bench.deliver("again.jsonl", content)

    assert counts(bench.load()) == (1, 0, 0, 1)
    assert counts(bench.load()) == NOTHING
