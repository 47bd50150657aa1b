"""One week at the tills of one country: receipts of every type, lines, tenders, steps.

Belongs here: how a shop's journal comes about and that every receipt balances. Does not: how it
is written to files (``till_files``), or what crooks add to it (``frauds``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dagster_project.core.simulation.baskets import (
    Amounts,
    day_seconds,
    draw_shoppers,
    fill_baskets,
    price_lines,
)
from dagster_project.core.simulation.demand import Market, Sales
from dagster_project.core.simulation.people import People
from dagster_project.core.simulation.plan import Plan, Stream, Week

SALE, RETURN, VOID, NO_SALE, TRAINING, SUSPENDED = range(6)
KIND_CODES = ("S", "R", "V", "N", "T", "P")
LINE_SALE, LINE_RETURN, LINE_VOID = range(3)
LINE_CODES = ("S", "R", "V")
CASH, CHIP, TAP, SWIPE, ALI, WX, GIFT, POINTS = range(8)
MEANS_CODES = ("CASH", "CHIP", "TAP", "SWIPE", "ALI", "WX", "GIFT", "PTS")
CARDS = (CHIP, TAP, SWIPE)
MEANS_SHARES = {
    "CN": (0.16, 0.08, 0.05, 0.02, 0.36, 0.33, 0.0, 0.0),
    "IR": (0.28, 0.12, 0.0, 0.60, 0.0, 0.0, 0.0, 0.0),
    "GB": (0.25, 0.27, 0.46, 0.02, 0.0, 0.0, 0.0, 0.0),
}
LINES_PER_RECEIPT = 3.7
KNOWN_SHARE = 0.75  # receipts of people the simulation follows; the rest are strangers
SHOWS_CARD_SHARE = 0.85
RETURN_SHARE = 0.012  # of lines
RETURN_DAYS = (1, 22)
EXTRA_SHARES = ((VOID, 0.004), (NO_SALE, 0.006), (TRAINING, 0.001), (SUSPENDED, 0.0015))
VOIDED_LINE_SHARE = 0.004

Rows = dict[str, np.ndarray]
RECEIPT_DEFAULTS: dict[str, Any] = {
    "person": -1, "account": -1, "means": CASH, "pan": None, "fraud": None, "kind": SALE,
    "terminal": -1, "cashier": -1,
}  # fmt: skip
LINE_DEFAULTS: dict[str, Any] = {"kind": LINE_SALE, "ref_bon": None, "ref_pos": 0}


@dataclass
class Journal:
    """One week's receipts and their lines, in parts that are joined when it is closed."""

    receipts: list[Rows] = field(default_factory=list)
    lines: list[Rows] = field(default_factory=list)
    count: int = 0

    def add(self, receipts: Rows, lines: Rows) -> None:
        """Add receipts and lines; a line's ``receipt`` counts from 0 within what is added."""
        size = receipts["site"].size
        lines = lines | {"receipt": lines["receipt"] + self.count}
        self.receipts.append(_complete(receipts, RECEIPT_DEFAULTS, size))
        self.lines.append(_complete(lines, LINE_DEFAULTS, lines["receipt"].size))
        self.count += size

    def closed(self) -> tuple[Rows, Rows]:
        """All receipts and all lines."""
        return _joined(self.receipts), _joined(self.lines)


def _complete(rows: Rows, defaults: dict[str, Any], size: int) -> Rows:
    kinds = {name: object if value is None else np.int64 for name, value in defaults.items()}
    missing = {
        name: np.full(size, value, dtype=kinds[name])
        for name, value in defaults.items()
        if name not in rows
    }
    return rows | missing


def _joined(parts: list[Rows]) -> Rows:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def amount_rows(amounts: Amounts, sign: int = 1) -> Rows:
    """Line columns from priced lines; negative for returns."""
    return {
        "price": amounts.price, "list": sign * amounts.list_amount,
        "discount": sign * amounts.discount, "tax": sign * amounts.tax,
        "cost": sign * amounts.cost, "promotion": amounts.promotion,
    }  # fmt: skip


class Tills:
    """The tills of one country; weeks are taken in order, for goods come back later."""

    def __init__(self, plan: Plan, market: Market, people: People) -> None:
        """Start with nothing to be returned."""
        self.plan = plan
        self.market = market
        self.people = people
        self.shops = [site for site in market.sites if site.kind == "shop"]
        self.opens = np.array([shop.opens for shop in self.shops])
        self.closes = np.array([shop.closes for shop in self.shops])
        self.terminals = np.array([shop.terminals for shop in self.shops])
        self.cashiers = np.array([shop.cashiers for shop in self.shops])
        self.coming_back: Rows | None = None

    def week(self, week: Week, sales: Sales) -> tuple[np.random.Generator, Journal]:
        """The week's journal before it is numbered, and the generator that goes on with it."""
        rng = self.plan.generator(Stream.TILLS, self.market.country.number, week.number)
        journal = Journal()
        sold = sales.sold[: len(self.shops)]
        self._sell(rng, journal, sold, week)
        self._take_back(rng, journal, week)
        self._do_other_things(rng, journal, week)
        return rng, journal

    def _sell(
        self, rng: np.random.Generator, journal: Journal, sold: np.ndarray, week: Week
    ) -> None:
        catalogue = self.market.catalogue
        baskets = fill_baskets(
            rng, catalogue, sold, days=week.days, lines_per_basket=LINES_PER_RECEIPT
        )
        home = np.array([shop.number for shop in self.shops])
        person = draw_shoppers(
            rng, self.people, group=home[baskets.site], of_person=self.people.home,
            weight=self.people.visits, day=baskets.day, known_share=KNOWN_SHARE,
        )  # fmt: skip
        account = np.where(person >= 0, self.people.account[person], -1)
        shows = rng.random(person.size) < SHOWS_CARD_SHARE
        receipts = {
            "site": baskets.site, "day": baskets.day, "person": person,
            "sec": day_seconds(rng, self.opens[baskets.site], self.closes[baskets.site], 0.5),
            "account": np.where(shows, account, -1),
            "means": self.draw_means(rng, person),
        }  # fmt: skip
        day = baskets.day[baskets.basket]
        amounts = price_lines(catalogue, baskets.article, day, baskets.milli)
        lines = {"receipt": baskets.basket, "article": baskets.article, "milli": baskets.milli}
        journal.add(receipts, lines | amount_rows(amounts))

    def draw_means(self, rng: np.random.Generator, person: np.ndarray) -> np.ndarray:
        """How each receipt is paid; people without a card pay in another way."""
        shares = np.array(MEANS_SHARES[self.market.country.code])
        means = rng.choice(len(shares), person.size, p=shares)
        other = ALI if self.market.country.code == "CN" else CASH
        without = (person >= 0) & (self.people.card_bin[person] < 0)
        return np.where(np.isin(means, CARDS) & without, other, means)

    def _take_back(self, rng: np.random.Generator, journal: Journal, week: Week) -> None:
        """Return receipts of lines bought earlier that come back this week."""
        if self.coming_back is None:
            return
        due = self.coming_back["day"] <= week.days[-1]
        back = {name: values[due] for name, values in self.coming_back.items()}
        self.coming_back = {name: values[~due] for name, values in self.coming_back.items()}
        if not back["day"].size:
            return
        site = back["site"]
        receipts = {
            "site": site, "day": back["day"], "person": back["person"],
            "account": back["account"], "means": back["means"],
            "sec": day_seconds(rng, self.opens[site], self.closes[site], 0.5),
            "kind": np.full(site.size, RETURN),
        }  # fmt: skip
        moved = ("article", "price", "promotion", "ref_bon", "ref_pos")
        turned = ("milli", "list", "discount", "tax", "cost")
        lines = {name: back[name] for name in moved} | {name: -back[name] for name in turned}
        lines |= {"receipt": np.arange(site.size), "kind": np.full(site.size, LINE_RETURN)}
        journal.add(receipts, lines)

    def remember_returns(
        self, rng: np.random.Generator, week: Week, receipts: Rows, lines: Rows, bons: np.ndarray
    ) -> None:
        """Choose which of this week's lines come back, in a later week."""
        owner = lines["receipt"]
        honest = (receipts["kind"][owner] == SALE) & (lines["kind"] == LINE_SALE)
        honest &= (lines["milli"] % 1000 == 0) & (lines["list"] > 0)
        chosen = np.flatnonzero(honest & (rng.random(owner.size) < RETURN_SHARE))
        of = owner[chosen]
        day = receipts["day"][of] + rng.integers(*RETURN_DAYS, chosen.size)
        found = {name: lines[name][chosen] for name in (
            "article", "milli", "price", "list", "discount", "tax", "cost", "promotion"
        )}  # fmt: skip
        found |= {name: receipts[name][of] for name in ("site", "person", "account", "means")}
        found |= {"day": day, "ref_bon": bons[of], "ref_pos": lines["pos"][chosen]}
        kept = self._open(found) & (day > week.days[-1])
        found = {name: values[kept] for name, values in found.items()}
        old = self.coming_back
        self.coming_back = found if old is None else _joined([old, found])

    def _open(self, back: Rows) -> np.ndarray:
        """Only days of the run on which the shop trades."""
        inside = back["day"] < self.plan.days
        day = np.minimum(back["day"], self.plan.days - 1)
        return inside & (self.market.factor[0, back["article"], day] > 0)

    def _do_other_things(self, rng: np.random.Generator, journal: Journal, week: Week) -> None:
        """Voids, opened drawers, training and parked receipts, and lines voided on the way."""
        receipts, lines = journal.receipts[0], journal.lines[0]
        size = receipts["site"].size
        if not size:
            return
        for kind, share in EXTRA_SHARES:
            like = rng.integers(0, size, rng.poisson(size * share))
            copied = {name: receipts[name][like] for name in ("site", "day")}
            site = copied["site"]
            copied["sec"] = day_seconds(rng, self.opens[site], self.closes[site], 0.5)
            copied["kind"] = np.full(like.size, kind)
            take = rng.integers(0, lines["receipt"].size, like.size if kind != NO_SALE else 0)
            taken = self._priced(copied["day"], lines, take)
            # Only training receipts are rung up and paid; the rest sells nothing.
            taken["kind"] = np.full(take.size, LINE_SALE if kind == TRAINING else LINE_VOID)
            journal.add(copied, taken)
        voided = np.flatnonzero(rng.random(lines["receipt"].size) < VOIDED_LINE_SHARE)
        extra = {name: lines[name][voided] for name in lines}
        extra["kind"] = np.full(voided.size, LINE_VOID)
        journal.lines.append(extra)

    def _priced(self, day: np.ndarray, lines: Rows, take: np.ndarray) -> Rows:
        article, milli = lines["article"][take], lines["milli"][take]
        amounts = price_lines(self.market.catalogue, article, day[: take.size], milli)
        rows = {"receipt": np.arange(take.size), "article": article, "milli": milli}
        return rows | amount_rows(amounts)
