"""Physical records: the splitter against Python's csv module, the vectorised count against both."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.core.declarations import Dialect
from dagster_project.core.feeds.errors import ErrorCode
from dagster_project.core.feeds.records import Splitter, record_bounds

CELL = st.text(st.sampled_from('ab,"\n\r 牛'), max_size=6)


def split(text: str, width: int = 2) -> list[tuple[int, int, int, list[str] | ErrorCode | None]]:
    return [
        (one.number, one.first_line, one.last_line, one.cells or one.error)
        for one in Splitter(text.encode(), Dialect(), width).records()
    ]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=6))
def test_what_a_csv_writer_wrote_is_read_back(rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    text = out.getvalue()
    assert [found[3] for found in split(text)] == rows
    starts, _ = record_bounds(np.frombuffer(text.encode(), np.uint8), '"')
    assert len(starts) == len(rows)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("a,b\n\nc,d", [(1, 1, 1, ["a", "b"]), (2, 3, 3, ["c", "d"])], id="blank"),
        pytest.param(
            '"a\nx",b\nc,d\n', [(1, 1, 2, ["a\nx", "b"]), (2, 3, 3, ["c", "d"])], id="newline"
        ),
        pytest.param('a"x,b\n', [(1, 1, 1, ['a"x', "b"])], id="quote inside a bare cell"),
        pytest.param(
            'a,"b\nc,d\n', [(1, 1, 1, ErrorCode.UNTERMINATED_QUOTE), (2, 2, 2, ["c", "d"])],
            id="never closed",
        ),
        pytest.param(
            'a,"b\nc,"d"\ne,f\n',
            [(1, 1, 1, ErrorCode.STRAY_QUOTE), (2, 2, 2, ["c", "d"]), (3, 3, 3, ["e", "f"])],
            id="closed by the next record's quote",
        ),
        pytest.param(
            'a,"b\n"c",d\ne,f\n',
            [(1, 1, 1, ErrorCode.STRAY_QUOTE), (2, 2, 2, ["c", "d"]), (3, 3, 3, ["e", "f"])],
            id="closed where the next record opens",
        ),
        pytest.param(
            "a\nb,c\n", [(1, 1, 1, ErrorCode.RAGGED_ROW), (2, 2, 2, ["b", "c"])], id="short"
        ),
        pytest.param("a,b,c\n", [(1, 1, 1, ErrorCode.RAGGED_ROW)], id="long"),
    ],
)  # fmt: skip
def test_a_broken_record_is_its_own_line_and_the_next_is_whole(
    text: str, found: list[tuple[int, int, int, object]]
) -> None:
    assert split(text) == found


def test_offsets_are_bytes_not_characters() -> None:
    places = [
        (one.offset, one.end) for one in Splitter("牛,b\nc,d\n".encode(), Dialect(), 2).records()
    ]
    assert places == [(0, 5), (6, 9)]
    starts, ends = record_bounds(np.frombuffer("牛,b\nc,d\n".encode(), np.uint8), '"')
    assert list(zip(starts.tolist(), ends.tolist(), strict=True)) == places
