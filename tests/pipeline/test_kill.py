"""A load killed at any moment and begun again ends as if it had never been disturbed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.core.home import Home
from tests.pipeline.kill_harness import deliver_till_lines, loader_command, survive


def prepare(home: Home) -> None:
    deliver_till_lines(home, files=40, rows=50)


@pytest.mark.slow
def test_a_killed_load_ends_as_the_clean_one(tmp_path: Path) -> None:
    trials = survive(
        loader_command("load"), prepare, tmp_path, trials=4, seed=3, kills=2, earliest=0.3
    )
    assert any(trial.killed_after_seconds for trial in trials)
    assert [trial.differing_tables for trial in trials] == [()] * 4


@pytest.mark.slow
def test_a_loader_that_commits_rows_and_ledger_apart_is_caught(tmp_path: Path) -> None:
    trials = survive(
        loader_command("naive"), prepare, tmp_path, trials=3, seed=3, kills=3, earliest=0.3
    )
    assert any("raw.pos_standard__line" in trial.differing_tables for trial in trials)
