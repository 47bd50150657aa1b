"""Files that end within a record: its own code, or held back, and whole records left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Bench
from tests.pipeline.test_feed_drift import MILK, as_jsonl, ledger
from tests.pipeline.till_lines import HEADER, LINES, ONE, THREE, TWO

MakeBench = Callable[..., Bench]

CUT_SHORT = [
    pytest.param("csv", HEADER + ONE + TWO + "R2,1,bre", 3, id="fewer cells"),
    pytest.param("csv", HEADER + ONE + TWO + 'R2,1,"bread', 3, id="open quote"),
    pytest.param("csv", (HEADER + ONE + TWO).encode() + b"R2,1,br\xc3", 3, id="half a sign"),
    pytest.param(
        "csv", (HEADER + ONE + TWO).encode() + THREE[:-10].encode() + b"\xe6", 3,
        id="half a sign in the last cell",
    ),
    pytest.param("jsonl", as_jsonl(MILK, MILK | {"pos": 2}) + '{"bon": "R2", "sk', 3, id="json"),
    pytest.param(
        "jsonl", as_jsonl(MILK, MILK | {"pos": 2}) + '{"bon": {"x": 1}', 3, id="json, open brace"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("form", "content", "number"), CUT_SHORT)
def test_a_record_in_which_the_file_ends_has_a_code_of_its_own(
    bench_for: MakeBench, form: str, content: str | bytes, number: int
) -> None:
    till = bench_for(**LINES | {"format": form, "files": "*"})
    till.deliver("a.file", content)
    till.load()
    assert ledger(till) == [(3, 2, 1, 0, "loaded", None)]
    assert till.rows("select record_number, error_code from ops.rejects") == [
        (number, "truncated_record")
    ]


@pytest.mark.parametrize(("form", "content", "number"), CUT_SHORT)
def test_a_file_that_ends_within_a_record_is_held_back_where_the_feed_says_so(
    bench_for: MakeBench, form: str, content: str | bytes, number: int
) -> None:
    arrival = {"complete_by": "rename", "reject_threshold": 0.5, "truncated": "hold"}
    till = bench_for(**LINES | {"format": form, "files": "*", "arrival": arrival})
    till.deliver("a.file", content)
    till.load()
    reason = f"the file is cut off within its last record, number {number}"
    assert ledger(till) == [(0, 0, 0, 0, "quarantined", reason)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(HEADER + ONE + "R2,1\n" + TWO, "ragged_row", id="short in the middle"),
        pytest.param(HEADER + ONE + TWO + "R2,1\n", "ragged_row", id="short, but ended"),
        pytest.param(
            HEADER + ONE + TWO + THREE.strip() + ",more", "ragged_row", id="long and not ended"
        ),
    ],
)
def test_a_short_record_is_cut_off_only_at_an_end_without_a_newline(
    bench_for: MakeBench, content: str, code: str
) -> None:
    arrival = {"complete_by": "rename", "reject_threshold": 0.5, "truncated": "hold"}
    till = bench_for(**LINES | {"arrival": arrival})
    till.deliver("a.csv", content)
    till.load()
    assert till.rows("select error_code from ops.rejects") == [(code,)]


def test_a_whole_last_record_needs_no_newline(bench_for: MakeBench) -> None:
    arrival = {"complete_by": "rename", "truncated": "hold"}
    till = bench_for(**LINES | {"arrival": arrival})
    till.deliver("a.csv", HEADER + ONE + TWO.strip())
    till.load()
    assert ledger(till) == [(2, 2, 0, 0, "loaded", None)]
