"""A load killed at any moment and begun again ends as if it had never been disturbed."""

from __future__ import annotations

from pathlib import Path

from dagster_project.core.home import Home
from tests.pipeline.kill_harness import (
    NAIVE_ROWS_ARE_IN,
    deliver_till_lines,
    loader_command,
    survive,
)


def prepare(home: Home) -> None:
    deliver_till_lines(home, files=12, rows=20)


def test_a_load_killed_three_times_ends_as_the_clean_one(tmp_path: Path) -> None:
    points = ("an original was kept", "a file was given up", None)
    (trial,) = survive(
        loader_command("load"), prepare, tmp_path, trials=1, seed=3, kills=3, points=points
    )
    assert trial.killed_at is not None
    assert trial.differing_tables == ()


def test_a_loader_that_commits_rows_and_ledger_apart_is_caught(tmp_path: Path) -> None:
    (trial,) = survive(
        loader_command("naive"), prepare, tmp_path, trials=1, seed=3, points=(NAIVE_ROWS_ARE_IN,)
    )
    assert trial.killed_at == NAIVE_ROWS_ARE_IN
    assert "raw.pos_standard__line" in trial.differing_tables
