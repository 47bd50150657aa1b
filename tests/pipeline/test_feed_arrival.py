"""Which files are taken from the landing folder, and when."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dagster_project.core.feeds import LoadError, waiting_files
from tests.conftest import Bench
from tests.pipeline.till_lines import HEADER, LINES, ONE, MakeBench


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
