"""How well loaded records agree with clean ones: multisets of cells in one spelling.

Belongs here: reading the clean file, bringing cells to one spelling, 0 to 10 points. Does not:
loading.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

_NUMBER = re.compile(r"^([-+]?)[$€£¥]?((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)$")
_DAY = re.compile(r"^(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})$")
Row = tuple[Hashable, ...]


@dataclass(frozen=True)
class Spelled:
    """Cells brought to one spelling; the clean file's days say which number is the day."""

    is_day_first: bool

    def cell(self, text: object) -> Hashable:
        """A blank, a number, a day, or the text itself."""
        value = "" if text is None else str(text)
        if not value.strip():
            return ""
        if (found := _NUMBER.match(value.strip())) is not None:
            number = Decimal(found[1] + found[2].replace(",", ""))
            return ("number", number.normalize() if number else Decimal(0))
        return self._day(value.strip()) or value

    def _day(self, value: str) -> Hashable | None:
        found = _DAY.match(value.removesuffix(" 00:00:00"))
        if found is None:
            return None
        first, second, third = int(found[1]), int(found[3]), int(found[4])
        if len(found[1]) == 4:
            year, month, day = first, second, third
        else:
            day, month = (first, second) if self.is_day_first else (second, first)
            year = third if third > 99 else third + 2000
        try:
            return date(year, month, day)
        except ValueError:
            return None

    def rows(self, rows: Iterable[Iterable[object]]) -> list[Row]:
        """Records with every cell spelled."""
        return [tuple(self.cell(cell) for cell in row) for row in rows]


@dataclass(frozen=True)
class Clean:
    """What should have been loaded."""

    names: list[str]
    rows: list[list[str]]

    def spelled(self) -> Spelled:
        """The order of day and month that the file's own days prove; day first where none does."""
        found = [m for row in self.rows for cell in row if (m := _DAY.match(cell.strip()))]
        return Spelled(not any(int(m[3]) > 12 for m in found if len(m[1]) < 4))


def read_clean(folder: Path, name: str) -> Clean:
    """The clean file; its first record is the header unless its parameters say there is none."""
    with (folder / "clean" / name).open(newline="", encoding="utf-8") as handle:
        rows = [row for row in csv.reader(handle) if row]
    parameters = folder / "parameters" / f"{name}_parameters.json"
    has_header = "no_header" not in name
    if parameters.exists():
        has_header = json.loads(parameters.read_text("utf-8"))["header_lines"] > 0
    if not has_header or not rows:
        return Clean([], rows)
    return Clean(rows[0], rows[1:])


def score(clean: Clean, names: list[str], rows: list[Row]) -> float:
    """0 to 10, of a file that was loaded."""
    spelled = clean.spelled()
    wanted, got = spelled.rows(clean.rows), spelled.rows(rows)
    parts = (
        (Counter(clean.names), Counter(names)),
        (Counter(wanted), Counter(got)),
        (Counter(c for row in wanted for c in row), Counter(c for row in got for c in row)),
    )
    return 1 + sum(sum(_measures(one, other)) for one, other in parts)


def _measures(wanted: Counter[Hashable], got: Counter[Hashable]) -> tuple[float, float, float]:
    """Precision, recall and F1 of one multiset against another."""
    if not wanted and not got:
        return 1.0, 1.0, 1.0
    common = (wanted & got).total()
    precision = common / got.total() if got else 0.0
    recall = common / wanted.total() if wanted else 0.0
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0
