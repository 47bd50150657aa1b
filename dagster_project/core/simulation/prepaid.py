"""Prepaid cards: what is laid onto them and spent, entry by entry.

Belongs here: the cards behind gift-card payments of tills and web shops. Does not: the payments
(``receipts``, ``web``). No card ever holds less than nothing.
"""

from __future__ import annotations

import numpy as np

from dagster_project.core.simulation.columns import (
    Columns,
    decimal,
    local_times,
    picked,
    same,
    text,
)
from dagster_project.core.simulation.plan import Country, Plan, Site, Stream, Week
from dagster_project.core.simulation.receipts import NOTE, ClosedWeek
from dagster_project.core.simulation.tills import GIFT, TRAINING, Rows
from dagster_project.core.simulation.web import GIFT as GIFT_ONLINE

LOAD_NOTES = 5  # a card is filled with multiples of five notes
AGAIN_SHARE = 0.5  # of payments that use a card with a rest on it, where there is one
SOLD_BEFORE = (2, 40)  # days between the sale of a card and its first use
ISSUED, SPENT = range(2)
KINDS = ("sold", "spent")
DAY = 86400


class PrepaidCards:
    """The prepaid cards of one country; weeks are taken in order, for the balances remember."""

    def __init__(self, plan: Plan, country: Country) -> None:
        """No card has been sold yet."""
        self.plan, self.country = plan, country
        self.count = 0
        self.rests: list[tuple[int, int]] = []  # card, balance

    def week(
        self, week: Week, closed: ClosedWeek, orders: Rows, payments: Rows, moments: np.ndarray
    ) -> Rows:
        """The week's entries in the order in which its payments were made; amounts in minor
        units."""
        rng = self.plan.generator(Stream.PREPAID, self.country.number, week.number)
        tenders, receipts = closed.tenders, closed.receipts
        owner = tenders["receipt"]
        paid = (tenders["means"] == GIFT) & (receipts["kind"][owner] != TRAINING)
        at_till, online = np.flatnonzero(paid), np.flatnonzero(payments["method"] == GIFT_ONLINE)
        spent = {
            "amount": np.concatenate([tenders["amount"][at_till], payments["amount"][online]]),
            "moment": np.concatenate([
                closed.moments[owner[at_till]], moments[payments["order"][online]]
            ]),
            "site": np.concatenate([
                receipts["site"][owner[at_till]], orders["site"][payments["order"][online]]
            ]),
            "bon": np.concatenate([
                closed.bons[owner[at_till]], orders["number"][payments["order"][online]]
            ]),
        }  # fmt: skip
        order = np.lexsort((spent["bon"].astype(str), spent["moment"]))
        rows = [self._pay(rng, {n: v[place] for n, v in spent.items()}) for place in order]
        flat = [row for pair in rows for row in pair]
        names = ("kind", "card", "amount", "balance", "moment", "site", "bon")
        kinds = {name: object if name == "bon" else np.int64 for name in names}
        return {
            name: np.array([row[n] for row in flat], dtype=kinds[name])
            for n, name in enumerate(names)
        }

    def _pay(self, rng: np.random.Generator, spent: dict[str, object]) -> list[tuple[object, ...]]:
        """Entries of one payment: with a new card its sale as well."""
        amount, moment = int(spent["amount"]), int(spent["moment"])
        entries: list[tuple[object, ...]] = []
        again = rng.random() < AGAIN_SHARE
        found = next((n for n, (_, rest) in enumerate(self.rests) if rest >= amount), None)
        if again and found is not None:
            card, balance = self.rests.pop(found)
        else:
            step = LOAD_NOTES * NOTE[self.country.code]
            card, balance = self.count, -(-amount // step) * step
            self.count += 1
            sold = moment - int(rng.integers(SOLD_BEFORE[0] * DAY, SOLD_BEFORE[1] * DAY))
            entries.append((ISSUED, card, balance, balance, sold, -1, None))
        rest = balance - amount
        entries.append((SPENT, card, -amount, rest, moment, spent["site"], spent["bon"]))
        if rest:
            self.rests.append((card, rest))
        return entries


def prepaid_columns(rows: Rows, country: Country, sites: list[Site]) -> Columns:
    """``lantern_prepaid``: one row per entry of a prepaid card."""
    cards = [f"LP{country.code}{n:07d}" for n in rows["card"].tolist()]
    sold = rows["kind"] == ISSUED
    entries = [
        f"I:{card}" if bon is None else f"S:{bon}"
        for card, bon in zip(cards, rows["bon"].tolist(), strict=True)
    ]
    return {
        "entry": text(entries),
        "card": text(cards),
        "kind": picked(rows["kind"], KINDS),
        "amount": decimal(rows["amount"], country.minor_digits),
        "rest": decimal(rows["balance"], country.minor_digits),
        "curr": same(country.currency, sold.size),
        "booked_at": local_times(rows["moment"], country.time_zone),
        "shop": picked(rows["site"], [site.code for site in sites]),
        "bon": text(rows["bon"]),
    }
