"""A bad input with its stated outcome, and the delivery of many of them in one load.

Receipts are written ``R1``, ``R2`` … in a case and get the case's own number, so that no case's
rows are another's duplicates. A reject is stated by the line it begins on, the text with which the
record begins (from which its byte offset follows), its column and its code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.conftest import Bench
from tests.pipeline.till_lines import HEADER, ONE, THREE, TWO

GOOD = (HEADER + ONE + TWO).encode()
Rejected = tuple[int, str, str | None, str]  # first line, beginning of the record, column, code


@dataclass(frozen=True)
class Case:
    """One delivered file and what must become of it."""

    content: bytes | str
    loaded: int = 0
    rejects: tuple[Rejected, ...] = ()
    held: str | None = None  # the reason for which the file is held back
    refused: int = 0  # records of a file that is held back after it was read
    products: tuple[str | None, ...] | None = None  # what raw holds, in file order
    name: str | None = None
    text: bytes | None = None  # what places are counted in, where it is not the content

    def content_of(self, number: int) -> bytes:
        """The content with receipts of its own."""
        return own_receipts(self.content, number)

    def offset(self, beginning: str, number: int) -> int:
        """Where the record with this beginning starts."""
        read = own_receipts(self.content if self.text is None else self.text, number)
        return read.rindex(own_receipts(beginning, number))


def own_receipts(content: bytes | str, number: int) -> bytes:
    """The content with ``R1`` as the receipt of a case of its own."""
    plain = content.encode() if isinstance(content, str) else content
    for digit in b"123456789":
        for after in b",;":
            plain = plain.replace(b"R%c%c" % (digit, after), b"C%03d-%c%c" % (number, digit, after))
    return plain


@dataclass(frozen=True)
class Outcome:
    """What the warehouse knows of one case's file."""

    counts: tuple[int, int, int, int]
    reason: str | None
    rejects: list[tuple[Any, ...]] = field(default_factory=list)
    products: list[str | None] = field(default_factory=list)


def deliver(bench: Bench, cases: dict[str, Case]) -> dict[str, Outcome]:
    """Deliver all cases in one go, load once, and look up what became of each."""
    names = {}
    for number, (title, case) in enumerate(cases.items()):
        names[title] = case.name or f"{number:03d}.csv"
        bench.deliver(names[title], case.content_of(number))
    bench.load()
    return {title: outcome_of(bench, name) for title, name in names.items()}


def outcome_of(bench: Bench, name: str) -> Outcome:
    """Ledger line, rejects and rows of the file with this name."""
    ((file_id, *counts, reason),) = bench.rows(
        "select file_id, physical_count, loaded_count, rejected_count, duplicate_count, reason "
        "from ops.file_ledger where original_name = ?",
        name,
    )
    rejects = bench.rows(
        "select first_line, byte_offset, column_name, error_code from ops.rejects "
        "where file_id = ? and disposition = 'record' order by record_number",
        file_id,
    )
    products = bench.rows(
        "select product_code from raw.pos_standard__line where _file_id = ? "
        "order by _record_number",
        file_id,
    )
    return Outcome(tuple(counts), reason, rejects, [row[0] for row in products])


def judge(case: Case, outcome: Outcome, number: int) -> None:
    """Compare a case's outcome with what it states."""
    expected = [
        (line, case.offset(beginning, number), column, code)
        for line, beginning, column, code in case.rejects
    ]
    assert outcome.reason == case.held
    assert outcome.rejects == expected
    rejected = case.refused or len(case.rejects)
    assert outcome.counts == (case.loaded + rejected, case.loaded, rejected, 0)
    if case.products is not None:
        assert tuple(outcome.products) == case.products


__all__ = [
    "GOOD", "HEADER", "ONE", "THREE", "TWO", "Case", "Outcome", "deliver",
    "judge", "outcome_of", "own_receipts",
]  # fmt: skip
