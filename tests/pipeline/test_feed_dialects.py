"""Dialects beyond commas and doubled quotes: read right, or rejected with the line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Bench

MakeBench = Callable[..., Bench]
LINES = {
    "feed": "odd_till",
    "description": "Products of a till with a dialect of its own.",
    "sender": "odd",
    "template": "coupon",
    "owner": "test",
    "format": "csv",
    "files": "*",
    "arrival": {"complete_by": "rename", "reject_threshold": 0.9},
    "columns": {"code": [], "campaign": [], "product": [], "text": []},
    "records": {
        "coupon": {
            "fields": {
                "coupon_code": "code",
                "promotion_code": "campaign",
                "product_code": "product",
                "name": "text",
            }
        }
    },
}
NAMES = "select coupon_code, name from raw.coupon__coupon order by coupon_code"
REJECTS = "select first_line, last_line, error_code from ops.rejects order by first_line"


@pytest.mark.parametrize(
    ("dialect", "content", "rows"),
    [
        pytest.param(
            {"escape": "\\"},
            'code,campaign,product,text\n1,A,P,"5\\" pipe"\n2,A,P,"C:\\\\dir"\n3,A,P,"it\\\'s"\n',
            [("1", '5" pipe'), ("2", "C:\\dir"), ("3", "it\\'s")],
            id="backslash before a quote, itself, and a sign that needs none",
        ),
        pytest.param(
            {"escape": "\\"},
            'code,campaign,product,text\n1,A,P,"two\nlines \\"and\\" a comma, too"\n',
            [("1", 'two\nlines "and" a comma, too')],
            id="backslash within a cell of two lines",
        ),
        pytest.param(
            {"delimiter": "||"},
            'code||campaign||product||text\n1||A||P||a|b\n2||A||P||"c||d"\n',
            [("1", "a|b"), ("2", "c||d")],
            id="two signs between cells, one of them within a cell",
        ),
        pytest.param(
            {"delimiter": ", "},
            'code, campaign, product, text\n1, A, P, "x, y"\n2, A, P, a,b\n',
            [("1", "x, y"), ("2", "a,b")],
            id="comma and space",
        ),
        pytest.param(
            {"delimiter": "→"},
            "code→campaign→product→text\n1→A→P→牛奶\n",
            [("1", "牛奶")],
            id="a sign of three bytes",
        ),
        pytest.param(
            {"quote": "'"},
            "code,campaign,product,text\n1,A,P,'x, y'\n2,A,P,'it''s'\n3,A,P,5\" pipe\n",
            [("1", "x, y"), ("2", "it's"), ("3", '5" pipe')],
            id="single quotes",
        ),
        pytest.param(
            {"delimiter": " "},
            'code campaign product text\n1 A P "milk and tea"\n2 A P bread\n',
            [("1", "milk and tea"), ("2", "bread")],
            id="a space",
        ),
    ],
)
def test_a_dialect_is_read_as_declared(
    bench_for: MakeBench, dialect: dict[str, object], content: str, rows: list[tuple[str, str]]
) -> None:
    bench = bench_for(**LINES, dialect=dialect)
    bench.deliver("a.csv", content)

    assert bench.load().rejected_count == 0
    assert bench.rows(NAMES) == rows


def test_names_on_two_lines_are_joined_and_records_count_from_below_them(
    bench_for: MakeBench,
) -> None:
    columns = {"code": ["coupon code"], "campaign": ["coupon campaign"], "product": [], "text": []}
    bench = bench_for(**LINES | {"columns": columns, "dialect": {"header_lines": 2}})
    bench.deliver("a.csv", "coupon,coupon,,\ncode,campaign,product,text\n1,A,P,x\n2,A\n")

    outcome = bench.load()

    assert (outcome.physical_count, outcome.loaded_count, outcome.rejected_count) == (2, 1, 1)
    assert bench.rows(NAMES) == [("1", "x")]
    assert bench.rows(REJECTS) == [(4, 4, "ragged_row")]


def test_a_broken_escape_rejects_its_line_alone(bench_for: MakeBench) -> None:
    bench = bench_for(**LINES, dialect={"escape": "\\"})
    bench.deliver("a.csv", 'code,campaign,product,text\n1,A,P,"never \\"\n2,A,P,"good"\n')

    bench.load()

    assert bench.rows(NAMES) == [("2", "good")]
    assert [row[:2] for row in bench.rows(REJECTS)] == [(2, 2)]


@pytest.mark.parametrize("quoted", ["", '"x, y"'], ids=["no quote at all", "quotes elsewhere"])
def test_a_delimiter_too_many_before_an_empty_last_cell_moves_nothing(
    bench_for: MakeBench, quoted: str
) -> None:
    """The strict reader drops an empty cell behind the last column and says nothing."""
    bench = bench_for(**LINES)
    bench.deliver("a.csv", f"code,campaign,product,text\n1,A,P,{quoted}\n2,A,,P,\n3,A,P,\n")

    outcome = bench.load()

    assert (outcome.loaded_count, outcome.rejected_count) == (2, 1)
    assert bench.rows(REJECTS) == [(3, 3, "ragged_row")]
    assert [row[0] for row in bench.rows(NAMES)] == ["1", "3"]


def test_two_cells_that_lost_their_delimiter_move_nothing(bench_for: MakeBench) -> None:
    """``P"x, y"`` has as many cells as two of them: the quote that it closes tells."""
    bench = bench_for(**LINES)
    bench.deliver("a.csv", 'code,campaign,product,text\n1,A,P,"x"\n2,A,P"x, y"\n3,A,5" pipe,3"\n')

    bench.load()

    assert bench.rows(REJECTS) == [(3, 3, "stray_quote")]
    assert bench.rows("select product_code, name from raw.coupon__coupon order by 1") == [
        ('5" pipe', '3"'),
        ("P", "x"),
    ]


def test_an_empty_last_column_alone_stays_on_the_fast_way(bench_for: MakeBench) -> None:
    bench = bench_for(**LINES)
    bench.deliver("a.csv", 'code,campaign,product,text\n1,A,"P,Q",\n2,A,P,\n')

    outcome = bench.load()

    assert (outcome.loaded_count, outcome.rejected_count) == (2, 0)
    assert bench.rows("select product_code from raw.coupon__coupon order by 1") == [
        ("P",),
        ("P,Q",),
    ]
