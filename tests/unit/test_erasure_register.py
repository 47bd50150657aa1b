"""The register of erasures: nothing of it can be changed unseen, and two become one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.suppression.register import (
    Entry,
    ErasureError,
    append,
    merge,
    read_register,
)
from tests.conftest import TEST_KEY

FIRST = Entry("E-1", "2026-01-01T00:00:00+00:00", "somebody", "asked", 1, ("a" * 32,))
SECOND = replace(FIRST, erasure_id="E-2", asked_at="2026-01-02T00:00:00+00:00", tokens=("b" * 32,))
THIRD = replace(FIRST, erasure_id="E-3", asked_at="2026-01-03T00:00:00+00:00")


def filled(root: Path, *entries: Entry) -> Home:
    home = Home(root).create()
    for entry in entries:
        append(home, TEST_KEY, entry)
    return home


def test_what_was_written_is_read_in_its_order(home: Home) -> None:
    assert read_register(home, TEST_KEY) == ()
    append(home, TEST_KEY, FIRST)
    append(home, TEST_KEY, SECOND)
    assert read_register(home, TEST_KEY) == (FIRST, SECOND)
    assert home.erasures.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("a" * 32, "c" * 32),
        lambda text: text.replace('"person_count": 1', '"person_count": 2'),
        lambda text: text.replace('"seal": "', '"seal": "0'),
        lambda text: text.replace("{", "", 1),
    ],
    ids=["token", "count", "seal", "no JSON"],
)
def test_a_changed_line_is_refused_and_named(home: Home, change: object) -> None:
    append(home, TEST_KEY, FIRST)
    path = home.erasures
    path.write_text(change(path.read_text("utf-8")), "utf-8")
    with pytest.raises(ErasureError, match="line 1 was changed"):
        read_register(home, TEST_KEY)


def test_another_key_reads_nothing(home: Home) -> None:
    append(home, TEST_KEY, FIRST)
    with pytest.raises(ErasureError, match="another key"):
        read_register(home, MasterKey(b"u" * 32))


def test_a_last_line_half_written_counts_for_nothing(home: Home) -> None:
    append(home, TEST_KEY, FIRST)
    path = home.erasures
    path.write_bytes(path.read_bytes() + path.read_bytes()[:-20])
    assert read_register(home, TEST_KEY) == (FIRST,)


def test_an_older_register_takes_nothing_away(tmp_path: Path) -> None:
    ours = filled(tmp_path / "ours", FIRST, THIRD)
    older = filled(tmp_path / "older", FIRST, SECOND)
    assert merge(ours, TEST_KEY, older.erasures) == 1
    assert read_register(ours, TEST_KEY) == (FIRST, SECOND, THIRD)
    assert merge(ours, TEST_KEY, older.erasures) == 0
