"""Figures that a file states of itself, in lines before and behind its records.

Belongs here: finding the figures and comparing them with the records. Does not: cutting the
lines off (``transcode``). A file whose records give another figure is not the file that was sent.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dagster_project.core.declarations import Feed

if TYPE_CHECKING:
    from dagster_project.core.feeds.job import Job
    from dagster_project.core.feeds.read import Source
    from dagster_project.core.feeds.transcode import TextStart

# Of a sum of binary fractions; declared decimals are compared as they are.
FLOAT_DECIMALS = 6


@dataclass(frozen=True)
class Stated:
    """One figure as the file has it."""

    total: int  # the feed's total, from 0
    group: str
    place: str  # preamble, footer
    text: str | None  # nothing where the line is there and the figure is not


def stated_figures(feed: Feed, start: TextStart) -> list[Stated]:
    """The figures in the lines around a file's records, by every pattern in every line."""
    lines = [("preamble", one) for one in start.preamble] + [
        ("footer", one) for one in start.footer
    ]
    return [
        Stated(number, group, place, match[group])
        for number, total in enumerate(feed.totals)
        for place, line in lines
        if (match := re.search(total.pattern, line))
        for group in total.agrees
    ]


def with_figures(content_id: str, feed: Feed, start: TextStart) -> str:
    """A content's identity where the figures stated around it belong to the content."""
    if not feed.totals:
        return content_id
    told = repr([(one.total, one.group, one.text) for one in stated_figures(feed, start)])
    return hashlib.sha256(f"{content_id} {told}".encode()).hexdigest()


def disagreements(job: Job, source: Source) -> dict[str, str]:
    """Files whose records do not come to the figures that they state: content id → reason.

    Every well-formed record counts, also one that is ignored or will be rejected. Raises
    duckdb.Error where an aggregate cannot be computed.
    """
    if not job.feed.totals:
        return {}
    computed = _computed(job, source)
    found = {}
    for place, one in enumerate(source.files):
        differing = list(_differing(job, stated_figures(job.feed, one.start), computed[place]))
        if differing:
            unread = len(source.broken)
            told = f" (records that could not be read: {unread})" if unread else ""
            found[one.content_id] = "; ".join(differing) + told
    return found


def _computed(job: Job, source: Source) -> list[dict[tuple[int, str], Decimal]]:
    """Of each file of the source, every declared aggregate by total and group."""
    names = [(number, group) for number, one in enumerate(job.feed.totals) for group in one.agrees]
    aggregates = ", ".join(sql for one in job.feed.totals for sql in one.agrees.values())
    rows = job.connection.execute(
        f"select _file, {aggregates} from {source.relation} group by _file"
    ).fetchall()
    # What the aggregates are over no record at all: a count is 0, a sum is null.
    empty = job.connection.execute(
        f"select {aggregates} from {source.relation} where false"
    ).fetchone()
    by_place = {place: values for place, *values in rows}
    return [
        dict(zip(names, map(_decimal, by_place.get(place, empty)), strict=True))
        for place in range(len(source.files))
    ]


def _decimal(value: Any) -> Decimal:
    if isinstance(value, float):
        return round(Decimal(str(value)), FLOAT_DECIMALS)
    return Decimal(str(value if value is not None else 0))


def _differing(
    job: Job, stated: list[Stated], computed: dict[tuple[int, str], Decimal]
) -> Iterator[str]:
    for number, total in enumerate(job.feed.totals):
        if not any(one.total == number for one in stated):
            yield f"no line states {' and '.join(map(_words, total.agrees))}"
    for one in stated:
        rows_have = computed[one.total, one.group]
        figure = _figure(job, one.text)
        if figure is None:
            yield f"the {one.place} states no {_words(one.group)}"
        elif figure != rows_have:
            said, found = _shown(figure, rows_have)
            yield f"the {one.place} says {said} {_words(one.group)}, the rows have {found}"


def _shown(*figures: Decimal) -> list[str]:
    """Figures with the same number of decimals."""
    decimals = max(0, *(-int(one.normalize().as_tuple().exponent) for one in figures))
    return [f"{one:,.{decimals}f}" for one in figures]


def _figure(job: Job, text: str | None) -> Decimal | None:
    """A stated figure as the dialect spells numbers; nothing where it is none."""
    if text is None:
        return None
    (value,) = job.connection.execute(
        "select try_cast(amount($1) as decimal(38, 9))", [text]
    ).fetchone()
    return value.normalize() if value is not None else None


def _words(group: str) -> str:
    return group.replace("_", " ")
