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
class Names:
    """Everything that is called something, by dimension and number."""

    by_store: tuple[Store, ...]
    others: Mapping[str, Mapping[int, tuple[str, str, str]]]  # number → sender, code, name
    channel_stores: Mapping[int, frozenset[int]]

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection, definition: Definition) -> Names:
        """After the members were numbered."""
        stores = connection.execute(reading_sql.STORES).fetchall()
        others = {}
        for name in reading_sql.numbered(definition):
            found = connection.execute(reading_sql.members_of(name)).fetchall()
            others[name] = {row[0]: (row[1], row[2], row[3] or row[2]) for row in found}
        return cls(tuple(Store(*row[1:]) for row in stores), others, {})

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

    def banner(self, places: Mapping[str, int]) -> str | None:
        """The banner of a series; None where it is of several."""
        banners = {self.by_store[n].banner for n in self.stores(places)}
        alone = {"banner", "store", "sender"} & set(places)
        return banners.pop() if alone and len(banners) == 1 else None

    def stores(self, places: Mapping[str, int]) -> frozenset[int]:
        """The numbers of the stores that a series is of."""
        if "store" in places:
            return frozenset([places["store"]])
        every = range(len(self.by_store))
        if "banner" in places:
            return frozenset(n for n in every if self.by_store[n].banner_id == places["banner"])
        if "sender" in places:
            return frozenset(n for n in every if self.by_store[n].sender_id == places["sender"])
        return self.channel_stores.get(places.get("channel", -1), frozenset(every))

    def senders_of(self, stores: Iterable[int]) -> tuple[str, ...]:
        """Whose stores they are."""
        return tuple(sorted({self.by_store[n].sender for n in stores}))

    def countries_of(self, stores: Iterable[int]) -> tuple[str, ...]:
        """Where they are; a store without master data is in none."""
        return tuple(sorted({c for n in stores if (c := self.by_store[n].country)}))

    def _of(self, dimension: str, place: int) -> tuple[str, str, str]:
        if dimension == "store":
            one = self.by_store[place]
            return one.sender, one.code, one.name
        if dimension == "banner":
            banner = next(one.banner for one in self.by_store if one.banner_id == place)
            return "", banner, banner
        return self.others[dimension][place]


def _in_order(told: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(name, told[name]) for name in reading_sql.CUT_BY if name in told]
