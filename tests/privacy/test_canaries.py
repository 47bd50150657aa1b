"""Canaries of two seeds through a real refresh: the vault holds persons, and nothing else does.

``python -m benchmarks canaries`` does the same with twenty seeds.
"""

from __future__ import annotations

import pytest

from tests.privacy.sweep import Outcome, sweep

pytestmark = pytest.mark.long(minutes=3)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return sweep(tmp_path_factory.mktemp("canaries"), range(1, 3))


def test_no_canary_stands_where_it_may_not(outcome: Outcome) -> None:
    assert outcome.by_place() == {}


def test_there_was_something_to_find_and_everything_was_searched(outcome: Outcome) -> None:
    assert outcome.exit_codes["refresh --json"] == 1  # files were held back, as planned
    assert set(outcome.exit_codes.values()) <= {0, 1}
    assert outcome.vault_labels > 40
    assert outcome.needles > 150
    assert outcome.columns["private"] > 3000
    assert outcome.columns["published"] > 500
    assert outcome.columns["run history"] > 100
    assert outcome.file_bytes > 10**7
