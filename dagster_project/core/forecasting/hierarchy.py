"""What a series is called, and into which others it adds up.

Belongs here: keys, members, which series are the parts of which. Does not: their amounts.

A level is the sum of every level that is cut more finely: a store is of one banner and one sender,
a product of one sender. What is too small to be a series of its own is added up in its parent's
rest, so that the parts are still the whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from dagster_project.core.forecasting.definitions import Level

REST = "(rest)"
CENT = 0.005  # of the unit of the amounts; sums of doubles are apart by far less
# What a member of a dimension is also a member of.
WITHIN: Mapping[str, tuple[str, ...]] = {
    "store": ("banner", "sender"),
    "product": ("sender",),
    "film": ("sender",),
}


@dataclass(frozen=True)
class Member:
    """What a row of the panel is of."""

    key: str  # stable from day to day: level, then sender or banner, then codes
    level: str
    member_code: str
    member_name: str
    banner: str | None
    parents: tuple[str, ...]  # keys of the series of the panel into which it adds up
    senders: tuple[str, ...]
    first_date: date | None  # of the first amount
    last_sold_date: date | None  # with an amount above 0
    selling_days: int
    is_rest: bool  # of the parts of a parent that are no series of their own
    places: Mapping[str, int]  # dimension → number of the member, for all it is within


@dataclass(frozen=True)
class Sums:
    """Series of one level, and for each those of a finer level that are its parts."""

    parent_level: str
    child_level: str
    parents: np.ndarray  # (P,) rows of the panel
    children: tuple[np.ndarray, ...]  # (P,) rows of each
    complete: np.ndarray  # (P,) bool: in all of its history the parts are the whole, to the cent

    def only(self, chosen: np.ndarray) -> Sums:
        """Some of the parents, by a (P,) bool."""
        children = tuple(self.children[n] for n in np.flatnonzero(chosen))
        kept = self.parents[chosen], children, self.complete[chosen]
        return Sums(self.parent_level, self.child_level, *kept)


def quoted(part: str) -> str:
    """A part of a key that cannot be taken for two, nor for a rest."""
    text = part.replace("%", "%25").replace(":", "%3A")
    return f"%28{text[1:]}" if text.startswith("(") else text


def series_key(level: str, parts: Sequence[str], *, is_rest: bool = False) -> str:
    """``level:part:part``, with colons inside of parts told apart."""
    return ":".join([level, *map(quoted, parts), *([REST] if is_rest else [])])


def reach(by: Collection[str]) -> frozenset[str]:
    """All that is told of a series by what it is cut by: its store's banner, too."""
    return frozenset(by).union(*(WITHIN.get(one, ()) for one in by))


def is_parent(parent: Level, child: Level) -> bool:
    """Whether every series of the one level is the sum of some of the other's."""
    own = frozenset(parent.by)
    return own <= reach(child.by) and reach(parent.by) != reach(child.by)


def sums(
    levels: Sequence[Level], members: Sequence[Member], values: np.ndarray
) -> tuple[Sums, ...]:
    """Every pair of levels of which one is the sum of the other, from the whole downwards.

    ``values`` (N, T) are the panel's. A parent without any part in the panel is left out, and so is
    a rest that the finer cut's rest, in which there is more, cannot be the parts of. A day on which
    the parent is not known proves nothing against its parts.
    """
    rows = {one.level: _rows_of(members, one.level) for one in levels}
    found = []
    for parent in levels:
        for child in levels:
            if is_parent(parent, child):
                pairs = _pairs(parent, members, rows[parent.level], rows[child.level])
                made = _sums(parent.level, child.level, pairs, values)
                rests = np.array([members[n].is_rest for n in made.parents], dtype=bool)
                made = made.only(made.complete | ~rests)
                if len(made.parents):
                    found.append(made)
    return tuple(found)


def place_of(by: Collection[str], places: Mapping[str, int]) -> tuple[int, ...] | None:
    """The member of a coarser cut that holds it; None where that is not told."""
    found = tuple(places.get(one, -1) for one in sorted(by))
    return None if -1 in found else found


def _rows_of(members: Sequence[Member], level: str) -> np.ndarray:
    return np.array([n for n, one in enumerate(members) if one.level == level], dtype=int)


def _pairs(
    parent: Level, members: Sequence[Member], above: np.ndarray, below: np.ndarray
) -> dict[int, list[int]]:
    """Rows of parents, each with the rows of its parts."""
    known = {
        place_of(parent.by, members[n].places): n for n in above.tolist() if not members[n].is_rest
    }
    rests = [n for n in above.tolist() if members[n].is_rest]
    found: dict[int, list[int]] = {}
    for n in below.tolist():
        row = known.get(place_of(parent.by, members[n].places))
        if row is None and members[n].is_rest:
            row = _rest_above(members, rests, members[n].places)
        if row is not None:
            found.setdefault(row, []).append(n)
    return found


def _rest_above(
    members: Sequence[Member], rests: Sequence[int], places: Mapping[str, int]
) -> int | None:
    """The rest of a coarser cut that holds a rest of a finer one: within the same members."""
    around = [n for n in rests if members[n].places.items() <= places.items()]
    return max(around, key=lambda n: len(members[n].places), default=None)


def _sums(parent: str, child: str, pairs: dict[int, list[int]], values: np.ndarray) -> Sums:
    parents = np.array(sorted(pairs), dtype=int)
    children = tuple(np.array(pairs[n], dtype=int) for n in sorted(pairs))
    complete = np.array(
        [
            not (np.abs(np.nansum(values[rows], axis=0) - values[n]) >= CENT).any()
            for n, rows in zip(parents, children, strict=True)
        ],
        dtype=bool,
    )
    return Sums(parent, child, parents, children, complete)
