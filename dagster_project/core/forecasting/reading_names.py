"""The names of members by their numbers, and which stores a series is of.

Belongs here: codes, names, banners, senders, countries. Does not: amounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb
import numpy as np

from dagster_project.core.forecasting import reading_sql
from dagster_project.core.forecasting.definitions import Definition


@dataclass(frozen=True)
class Store:
    """A store as it is today."""

    banner_id: int
    sender_id: int
    sender: str
    code: str
    name: str
    banner: str
    country: str | None


@dataclass(frozen=True)
class Area:
    """Whose stores a series is of, and where they are."""

    senders: tuple[str, ...]
    countries: tuple[str, ...]  # a store without master data is in none
    banners: tuple[str, ...]

    @classmethod
    def of(cls, stores: Iterable[Store]) -> Area:
        """The area of some stores."""
        listed = list(stores)
        return cls(
            tuple(sorted({one.sender for one in listed})),
            tuple(sorted({one.country for one in listed if one.country})),
            tuple(sorted({one.banner for one in listed})),
        )


@dataclass(frozen=True)
class Names:
    """Everything that is called something, by dimension and number."""

    by_store: tuple[Store, ...]
    others: Mapping[str, Mapping[int, tuple[str, str, str]]]  # number → sender, code, name
    areas: Mapping[tuple[str, int], Area]  # by dimension and number; "" for all stores

    @classmethod
    def read(
        cls,
        connection: duckdb.DuckDBPyConnection,
        definition: Definition,
        channel_stores: Mapping[int, frozenset[int]],
    ) -> Names:
        """After the members were numbered; ``channel_stores``: who sold through a channel."""
        rows = connection.execute(reading_sql.STORES).fetchall()
        stores = {row[0]: Store(*row[1:]) for row in rows}
        others = {}
        for name in reading_sql.numbered(definition):
            found = connection.execute(reading_sql.members_of(name)).fetchall()
            others[name] = {row[0]: (row[1], row[2], row[3] or row[2]) for row in found}
        groups: dict[tuple[str, int], list[int]] = {("", 0): list(stores)}
        for number, one in stores.items():
            for place in (("store", number), ("banner", one.banner_id), ("sender", one.sender_id)):
                groups.setdefault(place, []).append(number)
        groups |= {("channel", n): sorted(held) for n, held in channel_stores.items()}
        areas = {place: Area.of(stores[n] for n in held) for place, held in groups.items()}
        return cls(tuple(stores.values()), others, areas)

    def within(self) -> dict[str, np.ndarray]:
        """``store.banner`` and the like: the number of the one by the number of the other."""
        senders = {one.sender: one.sender_id for one in self.by_store}
        found = {
            "store.banner": np.array([one.banner_id for one in self.by_store], dtype=int),
            "store.sender": np.array([one.sender_id for one in self.by_store], dtype=int),
        }
        for name in ("product", "film"):
            if name in self.others:
                numbers = self.others[name]
                place = np.full(max(numbers, default=0) + 1, -1)
                place[list(numbers)] = [senders.get(row[0], -1) for row in numbers.values()]
                found[f"{name}.sender"] = place
        return found

    def parts(self, told: Mapping[str, int]) -> list[str]:
        """What a series is told by in its key: senders once, then codes."""
        found: list[str] = []
        said: set[str] = set()
        for dimension, place in _in_order(told):
            sender, code, _ = self._of(dimension, place)
            if sender and sender not in said:
                said.add(sender)
                found.append(sender)
            found.append(code)
        return found

    def described(self, told: Mapping[str, int]) -> tuple[str, str]:
        """Code and name of a member; a banner is said where it stands alone."""
        listed = [self._of(*one) for one in _in_order(told) if len(told) == 1 or one[0] != "banner"]
        if not listed:
            return "all", "All sales"
        return ":".join(one[1] for one in listed), ", ".join(one[2] for one in listed)

    def area(self, places: Mapping[str, int]) -> Area:
        """The stores that a series is of, by the narrowest that is told of it."""
        for name in ("store", "banner", "sender", "channel"):
            if (found := self.areas.get((name, places.get(name, -1)))) is not None:
                return found
        return self.areas["", 0]

    def banner(self, places: Mapping[str, int]) -> str | None:
        """The banner of a series; None where it is of several, or of all."""
        banners = self.area(places).banners
        told = {"store", "banner", "sender"} & set(places)
        return banners[0] if told and len(banners) == 1 else None

    def _of(self, dimension: str, place: int) -> tuple[str, str, str]:
        if dimension == "store":
            one = self.by_store[place]
            return one.sender, one.code, one.name
        if dimension == "banner":
            (banner,) = self.areas["banner", place].banners
            return "", banner, banner
        return self.others[dimension][place]


def _in_order(told: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(name, told[name]) for name in reading_sql.CUT_BY if name in told]
