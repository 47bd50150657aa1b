"""The till on which most tests of loading deliver."""

from __future__ import annotations

import pytest

from tests.conftest import Bench
from tests.pipeline.till_lines import LINES, MakeBench


@pytest.fixture
def till(bench_for: MakeBench) -> Bench:
    """A bench for the feed of till lines."""
    return bench_for(**LINES)
