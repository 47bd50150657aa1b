"""Columns of fixed width as delimited text, line by line.

Belongs here: cutting lines. Does not: encodings and preambles, which are gone already. A line of
another length keeps its line number and comes out with another number of cells, so that it is
rejected as ragged; blanks that only fill a column are taken off its end.
"""

from __future__ import annotations

import csv
from itertools import accumulate, pairwise
from pathlib import Path

from dagster_project.core.declarations import Feed
from dagster_project.core.feeds.errors import HeldBackError


def write_cells(source: Path, target: Path, feed: Feed) -> None:
    """Cut each line at the declared widths; characters, not bytes."""
    places = list(pairwise(accumulate(feed.dialect.widths, initial=0)))
    length = places[-1][1]
    try:
        with (
            source.open(encoding="utf-8", newline=None) as lines,
            target.open("w", encoding="utf-8", newline="") as out,
        ):
            writer = csv.writer(
                out,
                delimiter=feed.dialect.delimiter,
                quotechar=feed.dialect.quote or '"',
                lineterminator="\n",
            )
            for line in lines:
                text = line.removesuffix("\n")
                if not text.strip():
                    out.write("\n")
                    continue
                writer.writerow(_cells(text, places, length))
    except UnicodeDecodeError as error:
        raise HeldBackError(f"byte {error.start} is not UTF-8") from None


def _cells(text: str, places: list[tuple[int, int]], length: int) -> list[str]:
    """The line's cells; of a line that is too long or too short, what is there."""
    cells = [text[start:end].strip() for start, end in places if start < len(text)]
    # Senders leave off blanks at the end of a line, but not whole characters of a value.
    if len(cells) == len(places) - 1 and len(text.rstrip()) > places[-2][0]:
        cells.append("")
    if rest := text[length:].strip():
        cells.append(rest)
    return cells
