"""Labelled people: how right identity is, deterministic alone and with probable pairs."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.core.identity import labelled, matching
from dagster_project.core.identity.judging import judge

pytestmark = pytest.mark.skipif(
    not matching.is_available(), reason="the extra tillhouse[ml] is not installed"
)


@pytest.mark.parametrize(
    ("name", "alone", "both"),
    [
        # F1 measured: .947 and .997, .932 and .999, .503 and .894
        pytest.param("identity_febrl/dataset1.csv", 0.94, 0.99, id="500 pairs"),
        pytest.param("identity_febrl/dataset2.csv", 0.93, 0.99, id="1,934 pairs"),
        pytest.param("splink_fake/fake_1000.csv", 0.50, 0.88, id="little beside the name"),
    ],
)
def test_probable_pairs_find_what_identifiers_leave(
    name: str, alone: float, both: float, data: Path
) -> None:
    records = labelled.read_records([data / name], labelled.load_columns())

    scores = judge(records, matching.load_model())

    assert scores["deterministic"].f1 >= alone
    assert scores["both"].f1 >= both
    assert scores["both"].precision >= 0.99
