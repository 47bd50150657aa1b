"""Delimiter, quote and escape of a delimited text, from how evenly they cut it.

Belongs here: candidates, and measuring them with the loader's own splitter. Does not: header,
preamble, types. The measure: records of one width, cells that look like values, many columns.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice, pairwise

from dagster_project.core.declarations import Dialect
from dagster_project.core.feeds.records import Physical, Splitter

MEASURED_RECORDS = 200
MEASURED_BYTES = 1 << 18
# Signs that separate cells, with how readily each is believed where others cut as evenly.
DELIMITERS: dict[str, float] = {
    ",": 1.0, ";": 1.0, "\t": 1.0, "|": 1.0, "\x1f": 1.0, "\x01": 1.0, "^": 0.95, "~": 0.95,
    "¦": 0.95, "§": 0.95, "، ": 0.9, "#": 0.7, "!": 0.6, " ": 0.6, ":": 0.2,
}  # fmt: skip
GROWN_BELIEF = 0.99  # of delimiters of several signs, ``, `` or ``||``
MAX_DELIMITER = 4
EMPTY_SOIL = 0.7  # of every cell in a column that is empty throughout
BEGINS_OTHERWISE = 0.7  # where the first line has another number of cells than most
# A cell that holds what usually separates cells was cut by the wrong sign.
_UNCUT = re.compile(r"[;|\t\x1f\x01^~]")
_NUMBERS_UNCUT = re.compile(r"^[\d.]+(,[\d.]+){2,}$")


@dataclass(frozen=True)
class Cut:
    """A dialect as measured on a text."""

    dialect: Dialect
    score: float
    width: int


def find_dialect(content: bytes) -> Cut:
    """The dialect that cuts UTF-8 text most evenly into plausible cells."""
    start = _start(content)
    cuts = [measure(start, dialect) for dialect in _candidates(start.decode(errors="replace"))]
    best = max(cuts, key=lambda cut: cut.score)
    if best.width < 2:
        return Cut(Dialect(), best.score, 1)
    return best


def _start(content: bytes) -> bytes:
    start = content[:MEASURED_BYTES]
    if len(start) == len(content):
        return start
    return start[: start.rfind(b"\n") + 1] or start


def _candidates(text: str) -> list[Dialect]:
    lines = [line for line in text.splitlines()[:MEASURED_RECORDS] if line.strip()]
    found = []
    for delimiter in _delimiters(text, len(lines)):
        for quote in _quotes(lines, delimiter):
            # Between single quotes double ones that only come in pairs escape each other.
            pairs = text.count('""') if quote == "'" else 0
            if pairs and 2 * pairs == text.count('"'):
                found.append(Dialect(delimiter=delimiter, quote=quote, escape='"'))
                continue
            found.append(Dialect(delimiter=delimiter, quote=quote))
            if quote is not None and f"\\{quote}" in text:
                found.append(Dialect(delimiter=delimiter, quote=quote, escape="\\"))
    return found or [Dialect()]


def _delimiters(text: str, lines: int) -> list[str]:
    found = [sign for sign in DELIMITERS if text.count(sign) >= 0.5 * lines]
    grown = [_grown(text, sign) for sign in found]
    grown += [sign for one in _unusual(text, lines) if len(sign := _grown(text, one)) > 1]
    return list(dict.fromkeys([*found, *grown]))


def _unusual(text: str, lines: int) -> list[str]:
    """Other punctuation that stands in pairs or more, such as ``@@`` or ``<>``."""
    counts = Counter(sign for sign in text if not (sign.isalnum() or sign.isspace()))
    return [
        sign
        for sign, count in counts.most_common(12)
        if sign not in DELIMITERS and sign not in "\"'.-_()" and count >= 2 * lines
    ]


def _grown(text: str, sign: str) -> str:
    """The sign with what nearly always follows it: ``, `` where commas are followed by spaces."""
    grown = sign
    while len(grown) < MAX_DELIMITER:
        count = text.count(grown)
        following = Counter(
            after
            for place in _places(text, grown)
            if (after := text[place + len(grown) : place + len(grown) + 1])
        )
        if not following:
            return grown
        after, often = following.most_common(1)[0]
        if grown == sign * len(grown) and after == sign:
            is_steady = text.count(grown + after) * (len(grown) + 1) >= 0.9 * text.count(sign)
        else:
            is_steady = often >= 0.9 * count
        if not is_steady or after.isalnum() or after in "\"'\n\r.-":
            return grown
        grown += after
    return grown


def _places(text: str, part: str) -> list[int]:
    return [found.start() for found in islice(re.finditer(re.escape(part), text), 2_000)]


def _quotes(lines: list[str], delimiter: str) -> list[str | None]:
    """Double quotes where there are some, single ones where they open and close cells."""
    text = "\n".join(lines)
    found: list[str | None] = ['"']
    cut = re.escape(delimiter)
    opened = len(re.findall(rf"(?:^|{cut})'", text, re.MULTILINE))
    closed = len(re.findall(rf"'(?:$|{cut})", text, re.MULTILINE))
    if min(opened, closed) >= max(1, 0.2 * len(lines)) and opened <= 3 * closed <= 9 * opened:
        found.append("'")
    if '"' in text:
        found.append(None)
    return found


def measure(content: bytes, dialect: Dialect) -> Cut:
    """How well a dialect cuts a text."""
    records = list(islice(Splitter(content, dialect, None).records(), MEASURED_RECORDS))
    widths = Counter(len(one.cells) for one in records if one.cells is not None)
    if not widths:
        return Cut(dialect, 0.0, 1)
    width, even = max(widths.items(), key=lambda item: (item[1] * (1 - 1 / item[0]), item[0]))
    if width < 2:
        return Cut(dialect, 0.0, 1)
    share = max(even, _of_two_tables(records, width, widths)) / len(records)
    belief = DELIMITERS.get(dialect.delimiter, GROWN_BELIEF)
    # Nothing speaks for an escape or against quotes where both cut alike.
    plain = 1.0 if dialect.escape is None and dialect.quote is not None else 0.999
    clean = _clean_share(records, width, dialect)
    first = next((len(one.cells) for one in records if one.cells is not None), 0)
    begins = 1.0 if first == width else BEGINS_OTHERWISE
    score = begins * share**2 * clean * (1 - 1 / width) * belief * plain
    return Cut(dialect, score, width)


def _of_two_tables(records: list[Physical], width: int, widths: Counter[int]) -> float:
    """Records of the two usual widths, where each stands in one run: two tables in one file."""
    other = next((w for w, _ in widths.most_common(2) if w not in {width, 1}), None)
    if other is None:
        return 0.0
    cut = [len(one.cells) for one in records if one.cells is not None]
    kept = [w for w in cut if w in {width, other}]
    changes = sum(a != b for a, b in pairwise(kept))
    return 0.98 * len(kept) if changes == 1 else 0.0


def _clean_share(records: list[Physical], width: int, dialect: Dialect) -> float:
    """How many cells look like values and not like several of them, or half of one."""
    rows = [one.cells for one in records if one.cells is not None and len(one.cells) == width]
    if not rows:
        return 0.0
    quotes = (dialect.quote or '"', '"')
    soiled = sum(_soil(cell, dialect, quotes) for row in rows for cell in row)
    # A column without even a name stands between the halves of a delimiter of two signs.
    empty = sum(not any(row[place] for row in rows) for place in range(width))
    return max(0.0, 1 - soiled / (len(rows) * width) - EMPTY_SOIL * empty / width)


def _soil(cell: str, dialect: Dialect, quotes: tuple[str, str]) -> float:
    """0 for a cell that may be a value, up to 1 for one that was cut by the wrong sign."""
    stripped = cell.strip(" ")
    if not stripped:
        return 0.0
    if len(stripped) > 1 and stripped.startswith(quotes) and stripped.endswith(quotes):
        return 1.0
    if stripped != cell or stripped.startswith(quotes) or stripped.endswith(quotes):
        return 0.5
    if len(cell) < 200 and (uncut := len(_UNCUT.findall(cell))):
        return 0.5 if uncut == 1 else 1.0
    return 0.5 if dialect.delimiter != "," and _NUMBERS_UNCUT.match(cell) else 0.0
