"""Where in a delimited text its table stands: preamble, header, records, footer, other tables.

Belongs here: telling lines apart. Does not: delimiters (``dialects``), headers (``headers``),
what columns mean. A damaged record is never taken for a footer: it stays, to be rejected.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from dagster_project.core.declarations import Dialect
from dagster_project.core.feeds.records import Physical, Splitter
from dagster_project.core.proposing.headers import Header, find_header, is_other_header
from dagster_project.core.proposing.kinds import Kind, kind_of
from dagster_project.core.proposing.notes import Note
from dagster_project.core.proposing.words import is_total_word

RUN = 3  # so many records of another width in a row are another table
NEARLY = 0.8  # a table of so many times the biggest one's size, and before it, is the main one
MAX_TOTALS = 3


@dataclass(frozen=True)
class Table:
    """The main table of a text and the dialect that reads it."""

    dialect: Dialect
    names: tuple[str, ...]  # the sender's; column_1 … where there are none
    rows: tuple[list[str], ...]
    is_named: bool  # the names are the sender's
    notes: tuple[Note, ...] = ()
    broken: int = 0  # records of the table that cannot be split, or have another width


def find_table(content: bytes, dialect: Dialect) -> Table:
    """The main table of UTF-8 text; the earliest of several of about one size."""
    records = list(Splitter(content, dialect, None).records())
    first, last, width = main_block(records)
    header = find_header(records, (first, last, width), content, dialect)
    body = records[header.first_record : last + 1]
    body, after = _to_the_end(body, records[last + 1 :], width)
    body, others = _before_other_header(body, header, width)
    if others:
        body, after = _to_the_end(body, [*others, *after], width, is_over=True)
    body, totals = _without_totals(body, width)
    notes = [*header.notes, *_notes_after(after, totals, header)]
    end = body[-1].last_line if body else header.last_line
    footer = _line_count(content) - end if after or totals else 0
    found = dialect.model_copy(update=header.dialect_words() | {"footer_lines": footer})
    rows = tuple(one.cells for one in body if one.cells is not None and len(one.cells) == width)
    return Table(found, header.names, rows, header.is_named, tuple(notes), len(body) - len(rows))


def main_block(records: list[Physical]) -> tuple[int, int, int]:
    """First and last place of the main table among records, and its number of columns."""
    widths = [len(one.cells) if one.cells is not None else 0 for one in records]
    anchors = _anchors(widths)
    if not anchors:
        width = max(set(widths), key=lambda w: (widths.count(w) * _weight(w), w), default=1) or 1
        places = [place for place, found in enumerate(widths) if found == width]
        return (places[0], places[-1], width) if places else (0, len(records) - 1, 1)
    scores = [widths[a : b + 1].count(width) * _weight(width) for a, b, width in anchors]
    place = next(i for i, score in enumerate(scores) if score >= NEARLY * max(scores))
    first, last, width = anchors[place]
    low = anchors[place - 1][1] + 1 if place else 0
    high = anchors[place + 1][0] if place + 1 < len(anchors) else len(widths)
    before = [i for i in range(low, first) if widths[i] == width]
    behind = [i for i in range(last + 1, high) if widths[i] == width]
    return (before or [first])[0], (behind or [last])[-1], width


def _weight(width: int) -> float:
    return 1 - 1 / width if width > 1 else 0.01 * width


def _anchors(widths: list[int]) -> list[tuple[int, int, int]]:
    """Runs of records of one width, joined where no run of another width stands between."""
    found: list[tuple[int, int, int]] = []
    place = 0
    for width, run in groupby(widths):
        size = len(list(run))
        if width and size >= RUN:
            if found and found[-1][2] == width:
                found[-1] = (found[-1][0], place + size - 1, width)
            else:
                found.append((place, place + size - 1, width))
        place += size
    return found


def _to_the_end(
    body: list[Physical], after: list[Physical], width: int, *, is_over: bool = False
) -> tuple[list[Physical], list[Physical]]:
    """Records behind the last good one that are damaged records of the table, not a footer."""
    if is_over:
        while body and _is_footer_line(body[-1], width):
            after = [body[-1], *after]
            body = body[:-1]
        return body, after
    is_other_table = len(after) >= RUN and len({_width(one) for one in after[:RUN]}) == 1
    if is_other_table or any(_is_footer_line(one, width) for one in after):
        return body, after
    return [*body, *after], []


def _is_footer_line(record: Physical, width: int) -> bool:
    if record.cells is None or len(record.cells) == width:
        return False
    filled = sum(bool(cell.strip()) for cell in record.cells)
    return filled <= max(1, width // 3) or is_total_word(record.cells[0])


def _width(record: Physical) -> int:
    return len(record.cells) if record.cells is not None else 0


def _before_other_header(
    body: list[Physical], header: Header, width: int
) -> tuple[list[Physical], list[Physical]]:
    """The table up to a second one of the same width, which begins with a header of its own."""
    for place, one in enumerate(body):
        fits = place > 0 and one.cells is not None and len(one.cells) == width
        if fits and is_other_header(one.cells or [], header):
            return body[:place], body[place:]
    return body, []


def _without_totals(body: list[Physical], width: int) -> tuple[list[Physical], list[Physical]]:
    """The table without rows that sum it up: a word for a total, and cells left blank."""
    end = len(body)
    for one in reversed(body[-MAX_TOTALS:]):
        cells = one.cells or []
        blank = sum(kind_of(cell) is Kind.BLANK for cell in cells)
        words = any(is_total_word(cell) for cell in cells[:3])
        if len(cells) != width or not words or blank < max(1, width // 3):
            break
        end -= 1
    return (body[:end], body[end:]) if end else (body, [])


def _line_count(content: bytes) -> int:
    stripped = content.rstrip(b"\r\n")
    newlines = stripped.count(b"\n")
    return (newlines or stripped.count(b"\r")) + 1


def _notes_after(after: list[Physical], totals: list[Physical], header: Header) -> list[Note]:
    if totals:
        line = totals[0].first_line
        return [Note("footer_lines", f"line {line} sums the table up: a total, no record")]
    if not after:
        return []
    line = after[0].first_line
    if len(after) < RUN:
        return [Note("footer_lines", f"line {line} and what follows are no records of the table")]
    told = (
        f"another table or text begins in line {line} of the sample ({len(after)} lines); "
        "it is left out, and the number of lines left out is the sample's"
    )
    return [Note("footer_lines", told, is_open=True)]
