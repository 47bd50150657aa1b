"""Replay and dry run: rejects come in after a correction, once; a check writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dagster_project.core.declarations import Feed
from dagster_project.core.feeds import check_feed_file, replay_feed
from tests.conftest import Bench
from tests.pipeline.till_lines import HEADER, LINES, ONE, THREE

MakeBench = Callable[..., Bench]
GERMAN = 'R9,1,tea,1,"2,40",2017-03-01\n'


def corrected(bench: Bench) -> Bench:
    """The same feed, with the decimal comma understood."""
    fields = LINES["records"]["line"]["fields"] | {"list_amount": "replace(amount, ',', '.')"}
    declared: dict[str, Any] = LINES | {"records": {"line": {"fields": fields}}}
    return replace(bench, feed=Feed(**declared))


def ledger(bench: Bench) -> list[tuple[Any, ...]]:
    return bench.rows(
        "select physical_count, loaded_count, rejected_count, duplicate_count, status "
        "from ops.file_ledger order by original_name"
    )


def test_rejects_come_in_after_a_correction_and_a_second_replay_changes_nothing(
    bench_for: MakeBench,
) -> None:
    till = bench_for(**LINES)
    till.deliver("a.csv", HEADER + ONE + GERMAN + THREE)
    till.load()
    assert ledger(till) == [(3, 2, 1, 0, "loaded")]

    first = replay_feed(till.warehouse, corrected(till).feed, till.template)
    assert (first.loaded_count, first.rejected_count, first.duplicate_count) == (1, 0, 2)
    assert ledger(till) == [(3, 3, 0, 0, "loaded")]
    assert till.rows("select replayed_batch_id from ops.rejects") == [(first.batch_ids[0],)]
    state = "select (select count(*) from raw.pos_standard__line), (select count(*) from ops.batch)"
    before = till.rows(state)

    second = replay_feed(till.warehouse, corrected(till).feed, till.template)
    assert (second.file_count, second.batch_ids) == (0, ())
    assert till.rows(state) == before == [(3, 2)]


def test_a_replay_without_a_correction_changes_nothing(bench_for: MakeBench) -> None:
    till = bench_for(**LINES)
    till.deliver("a.csv", HEADER + ONE + GERMAN + THREE)
    till.load()
    outcome = replay_feed(till.warehouse, till.feed, till.template)
    assert (outcome.loaded_count, outcome.rejected_count, outcome.batch_ids) == (0, 1, ())
    assert till.rows("select count(*), count(replayed_batch_id) from ops.rejects") == [(1, 0)]


def test_a_file_held_back_is_loaded_whole_once_it_can_be_read(bench_for: MakeBench) -> None:
    till = bench_for(**LINES | {"arrival": {"complete_by": "rename", "reject_threshold": 0.1}})
    till.deliver("a.csv", HEADER + ONE + GERMAN)
    till.deliver("b.csv", HEADER.replace("sku", "article") + THREE)
    assert till.load().loaded_count == 0
    columns = LINES["columns"] | {"sku": ["article"]}
    fixed = corrected(till).feed.model_copy(update={"columns": columns})

    outcome = replay_feed(till.warehouse, fixed, till.template)

    assert outcome.loaded_count == 3
    assert ledger(till) == [(2, 2, 0, 0, "loaded"), (1, 1, 0, 0, "loaded")]
    again = Bench(till.warehouse, fixed, till.template)
    again.deliver("b again.csv", HEADER.replace("sku", "article") + THREE)
    assert again.load().duplicate_count == 1


def test_a_check_says_what_a_load_would_do_and_writes_nothing(bench_for: MakeBench) -> None:
    till = bench_for(**LINES)
    path = till.deliver("a.csv", HEADER + ONE + GERMAN + THREE)
    home = till.warehouse.home
    outcome = check_feed_file(till.feed, till.template, path, home)
    assert (outcome.physical_count, outcome.accepted_count, outcome.rejected_count) == (3, 2, 1)
    assert outcome.examples == ((3, "list_amount", "bad_number"),)
    assert outcome.reason is None
    assert path.exists()
    assert list(home.scratch.iterdir()) == []
    assert list(home.store.iterdir()) == []
    assert till.rows("select count(*) from ops.file_ledger") == [(0,)]


def test_a_check_names_the_reason_for_which_a_file_would_be_held_back(
    bench_for: MakeBench,
) -> None:
    till = bench_for(**LINES)
    path = till.deliver("a.csv", "bon,pos\nR1,1\n")
    outcome = check_feed_file(till.feed, till.template, path, till.warehouse.home)
    assert outcome.reason == "column missing: sku, qty, amount, at"
