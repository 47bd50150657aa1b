"""An alarm: what was found on a day of a store, what was expected, and the sentence that says so.

Belongs here: the shape of an alarm and its words. Does not: deciding that there is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

SEVERE, MILD = "severe", "mild"
# What a day of a store can suffer; the first ones explain the later ones.
SILENT, LATE, REPEATED = "silent", "late", "repeated"
COUNT, AMOUNT, SHARE = "count", "amount", "share"


@dataclass(frozen=True)
class Alarm:
    """One cause: grain is table, store, first day and kind; ``store`` None means all of them."""

    table_name: str  # <schema>.<table>
    store: str | None
    day: date
    last_day: date
    kind: str
    measure: str
    found: float | None
    expected: float | None
    low: float | None
    high: float | None
    severity: str
    sentence: str
    store_name: str | None = None  # as people say it
    also: tuple[str, ...] = ()  # the other measures in which the same cause shows
    strength: float = 1.0  # distance from what is expected, in limits

    def covers(self, day: date) -> bool:
        """Whether the alarm is about this day."""
        return self.day <= day <= self.last_day


@dataclass(frozen=True)
class TooLittle:
    """A store whose days cannot be judged yet."""

    table_name: str
    store: str
    store_name: str
    days_seen: int
    days_needed: int

    @property
    def sentence(self) -> str:
        """In words."""
        return (
            f"Store {self.store_name} has too little history in {self.table_name}: "
            f"{self.days_seen} days with rows, {self.days_needed} are needed."
        )


def number(value: float) -> str:
    """Three significant digits, whole from a thousand on: 0.0312, 4.5, 12,345."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def rounded(value: float) -> float:
    """Six significant digits: sums of floats in another order are then the same number."""
    return float(f"{value:.6g}")


def span(first: date, last: date) -> str:
    """``2024-03-01`` or ``2024-03-01 to 2024-03-03``."""
    return str(first) if first == last else f"{first} to {last}"


def words_of(measure: str) -> str:
    """A measure's name in words: ``missing_share:customer_key`` → missing share of customer_key."""
    kind, _, column = measure.partition(":")
    plain = kind.replace("_", " ")
    return f"{plain} of {column}" if column else plain
