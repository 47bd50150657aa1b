"""Damaged files of four templates: nothing is lost, changed or made up without a word."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Bench
from tests.pipeline.hostile.clean_files import KINDS as FILES
from tests.pipeline.hostile.judging import Row, clean_rows, damage, fits, judge_all
from tests.pipeline.hostile.polluter import KINDS, pollute

MakeBench = Callable[..., Bench]
NUMBERS = itertools.count()
Bed = tuple[str, Bench, list[Row]]


@pytest.fixture(scope="module", params=FILES)
def bed(
    request: pytest.FixtureRequest, module_bench_for: MakeBench
) -> tuple[str, Bench, list[Row]]:
    """A kind of file, the bench for its damaged copies, and the clean file's rows."""
    file = request.param
    clean = clean_rows(module_bench_for(**FILES[file].declared(f"clean_{file}")), file)
    return file, module_bench_for(**FILES[file].declared(file)), clean


@pytest.mark.long
def test_every_kind_of_damage_is_judged_honestly(bed: Bed) -> None:
    file, bench, clean = bed
    kinds = [kind for kind in KINDS if fits(file, kind)]
    assert len(kinds) >= 25
    delivered = [damage(file, kind, 1, f"S{next(NUMBERS):05d}") for kind in kinds]
    judged = judge_all(bench, clean, delivered)
    assert [one for one in judged if not one.is_honest] == []


@pytest.mark.long
@settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    chosen=st.lists(
        st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 2**32)), min_size=8, max_size=16
    )
)
def test_no_damage_loses_or_changes_anything_silently(
    bed: Bed, chosen: list[tuple[str, int]]
) -> None:
    file, bench, clean = bed
    delivered = [
        damage(file, kind, seed, f"H{next(NUMBERS):05d}")
        for kind, seed in chosen
        if fits(file, kind)
    ]
    judged = judge_all(bench, clean, delivered)
    assert [one for one in judged if not one.is_honest] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_damage_is_the_same_for_the_same_seed_and_changes_the_file(kind: str) -> None:
    file = FILES["till"] if "csv" in KINDS[kind].formats else FILES["posts"]
    lines = file.lines("F")
    first = pollute(lines, file.format, kind, 7)
    assert first == pollute(lines, file.format, kind, 7)
    assert first[0] != b"\n".join([*lines, b""])
