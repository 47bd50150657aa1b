"""Crooks at the tills: what each of them adds to the journal.

Belongs here: planted frauds of one country. Does not: finding them.
"""

from __future__ import annotations

import numpy as np

from dagster_project.core.simulation.baskets import price_lines
from dagster_project.core.simulation.demand import Market
from dagster_project.core.simulation.people import People
from dagster_project.core.simulation.plan import Plan, Stream, Week
from dagster_project.core.simulation.tills import (
    CASH,
    CHIP,
    LINE_RETURN,
    LINE_SALE,
    LINE_VOID,
    RETURN,
    SALE,
    SWIPE,
    VOID,
    Journal,
    Rows,
    amount_rows,
)

REFUND_WITHOUT_RECEIPT = "refund_without_receipt"
SELF_REFUND = "self_refund"
CARD_VELOCITY = "card_velocity"
VOID_AFTER_PAYMENT = "void_after_payment"
POINTS_KEPT = "points_kept_after_refund"
# One more every so many days; at least so many in a run.
EVERY_DAYS = {REFUND_WITHOUT_RECEIPT: 9, SELF_REFUND: 13, VOID_AFTER_PAYMENT: 11}
LEAST = 4
VELOCITY_EVERY_DAYS = 120
VELOCITY_PAYMENTS = 10
VELOCITY_GAP_SECONDS = 420
POINTS_KEPT_SHARE = 0.04  # of members' refunds
# Receipts before this second and after that one would lie outside some shop's hours.
EARLIEST, LATEST = 10 * 3600, 20 * 3600


class Crooks:
    """The crooks of one country: a cashier for each kind of fraud, now and then a stolen card."""

    def __init__(self, plan: Plan, market: Market, people: People) -> None:
        """Choose who cheats where, and on which days."""
        rng = plan.generator(Stream.FRAUDS, market.country.number)
        self.plan, self.market, self.people = plan, market, people
        shops = [site for site in market.sites if site.kind == "shop"]
        self.events: list[tuple[int, str, int, int]] = []  # day, kind, shop, cashier
        for kind, every in EVERY_DAYS.items():
            shop = int(rng.integers(len(shops)))
            cashier = 1 + int(rng.integers(shops[shop].cashiers))
            days = rng.integers(0, plan.days, max(LEAST, plan.days // every))
            self.events += [(int(day), kind, shop, cashier) for day in days]
        days = rng.integers(0, plan.days, max(1, plan.days // VELOCITY_EVERY_DAYS))
        self.events += [
            (int(day), CARD_VELOCITY, int(rng.integers(len(shops))), -1) for day in days
        ]
        self.events.sort()
        self.own_card = str(people.other_cards[0])
        self.earlier: np.ndarray | None = None  # receipts of the week before, to point refunds at

    def cheat(self, week: Week, journal: Journal) -> None:
        """Add the week's frauds to its journal; none on a day on which the shop is closed."""
        rng = self.plan.generator(Stream.FRAUDS, self.market.country.number, week.number)
        for day, kind, shop, cashier in self.events:
            if day in week.days and self.market.factor[0, :, day].max() > 0:
                count = VELOCITY_PAYMENTS if kind == CARD_VELOCITY else 1
                journal.add(*self._fraud(rng, (day, kind, shop, cashier), count))

    def _fraud(
        self, rng: np.random.Generator, event: tuple[int, str, int, int], count: int
    ) -> tuple[Rows, Rows]:
        day, kind, shop, cashier = event
        start = int(rng.integers(EARLIEST, LATEST - VELOCITY_PAYMENTS * VELOCITY_GAP_SECONDS))
        gaps = rng.integers(60, VELOCITY_GAP_SECONDS, count)
        # Worth it: one of the ten dearest articles.
        dear = np.argsort(-self.market.catalogue.base_price)[:10]
        article = dear[rng.integers(0, dear.size, count)]
        days, milli = np.full(count, day), np.full(count, 1000)
        amounts = price_lines(self.market.catalogue, article, days, milli)
        back = kind in (REFUND_WITHOUT_RECEIPT, SELF_REFUND)
        card = {SELF_REFUND: self.own_card, CARD_VELOCITY: None}.get(kind)
        if kind == CARD_VELOCITY:
            others = self.people.other_cards
            card = str(others[1 + int(rng.integers(others.size - 1))])
        receipts = {
            "site": np.full(count, shop), "day": days, "sec": start + np.cumsum(gaps),
            "cashier": np.full(count, cashier), "kind": np.full(count, self._type(kind)),
            "means": np.full(count, {SELF_REFUND: CHIP, CARD_VELOCITY: SWIPE}.get(kind, CASH)),
            "pan": np.full(count, card, dtype=object),
            "fraud": np.full(count, kind, dtype=object),
        }  # fmt: skip
        sign = -1 if back else 1
        lines = {"receipt": np.arange(count), "article": article, "milli": sign * milli}
        lines["kind"] = np.full(count, LINE_RETURN if back else LINE_SALE)
        if kind == VOID_AFTER_PAYMENT:
            lines["kind"] = np.full(count, LINE_VOID)
        if kind == SELF_REFUND and self.earlier is not None and self.earlier.size:
            bon = self.earlier[rng.integers(0, self.earlier.size, count)]
            lines |= {"ref_bon": bon, "ref_pos": np.ones(count, dtype=np.int64)}
        return receipts, lines | amount_rows(amounts, sign)

    @staticmethod
    def _type(kind: str) -> int:
        if kind == CARD_VELOCITY:
            return SALE
        return VOID if kind == VOID_AFTER_PAYMENT else RETURN

    def look_at(self, receipts: Rows, bons: np.ndarray) -> None:
        """Remember the week's sales: next week's refunds to an own card name one of them."""
        self.earlier = bons[receipts["kind"] == SALE]

    def keep_points(
        self, rng: np.random.Generator, receipts: Rows, points: np.ndarray
    ) -> np.ndarray:
        """Which refunds do not take the points back."""
        return (points < 0) & (rng.random(points.size) < POINTS_KEPT_SHARE)
