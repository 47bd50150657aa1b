"""What moves stock besides sales: goods in, transfers, write-offs, thefts.

Belongs here: movements that lead from one count of an article to the next. Does not: the counts
(``masters``) or the sales (``receipts``, ``web``), which the stock system takes from the journals.

For every article and shop: last count + movements − net sales of the days since = next count.
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
from dagster_project.core.simulation.demand import Market, Sales
from dagster_project.core.simulation.plan import Plan, Stream, Week
from dagster_project.core.simulation.tills import (
    LINE_VOID,
    RETURN,
    SALE,
    Rows,
)
from dagster_project.core.simulation.web import BACK, ITEM
from dagster_project.core.simulation.words_goods import DEPARTMENTS

OPENING, GOODS_IN, WASTE, THEFT, ADJUSTED, LEAVES, ARRIVES = range(7)
KINDS = ("open", "in", "waste", "theft", "adjust", "out_to", "in_from")
REASONS = ("returned", "expiry", "theft", "count")
RETURNED_GOODS, EXPIRED, STOLEN, COUNTED = range(4)
PIECE, WEIGHED = 1000, 800  # thousandths that one unit of the shelf stands for
EXPIRY_SHARE = 0.02  # of perishable articles a week
TRANSFERS_WEEK = 2  # in a country with several shops
TRANSFER_UNITS = 3
THEFT_ARTICLES = 6  # the dearest ones of one shop of each country lose a piece a week …
THEFT_SPAN = (0.3, 0.7)  # … in this part of the run
MORNING, NOON, EVENING = 6 * 3600, 7 * 3600, 20 * 3600


class Shelves:
    """The stock books of one country; weeks are taken in order, for a count leads to the next."""

    def __init__(self, plan: Plan, market: Market) -> None:
        """Every shelf begins full."""
        self.plan, self.market = plan, market
        catalogue = market.catalogue
        self.unit = np.where(catalogue.is_weighed, WEIGHED, PIECE)
        self.perishable = np.array([DEPARTMENTS[d].is_perishable for d in catalogue.departments])
        self.counted = market.full * self.unit
        self.shops = len(plan.shops(market.country))
        self.thief_shop = int(plan.generator(Stream.SHELVES, market.country.number).integers(
            self.shops
        ))  # fmt: skip
        self.dear = np.argsort(-catalogue.base_price * ~catalogue.is_weighed)[:THEFT_ARTICLES]

    def week(
        self, week: Week, sales: Sales, till: tuple[Rows, Rows], web: tuple[Rows, Rows]
    ) -> Rows:
        """The week's movements in thousandths of a unit; ``till`` and ``web`` are headers and
        lines."""
        rng = self.plan.generator(Stream.SHELVES, self.market.country.number, week.number)
        sold, back = self._journals(week, till, web)
        sunday = self.plan.weekday[list(week.days)] == 6
        parts: list[Rows] = []
        if week.number == 0:
            parts.append(self._rows(OPENING, self.counted, week.days[0]))
        open_sold, open_back = np.zeros_like(self.counted), np.zeros_like(self.counted)
        first = np.full(self.counted.shape, week.days[0])
        for place, day in enumerate(week.days):
            open_sold += sold[:, :, place]
            open_back += back[:, :, place]
            is_last = day == week.days[-1]
            counts = (sales.left[:, :, place] == 0) | sunday[place] | is_last
            left = sales.left[:, :, place] * self.unit
            needed = np.where(counts, left - self.counted + open_sold + open_back, 0)
            written_off = np.where(counts, open_back, 0)
            parts += self._between(rng, needed, written_off, first, day=day, is_last=is_last)
            self.counted = np.where(counts, left, self.counted)
            open_sold, open_back = (
                np.where(counts, 0, open_now) for open_now in (open_sold, open_back)
            )
            first = np.where(counts, day + 1, first)
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _journals(
        self, week: Week, till: tuple[Rows, Rows], web: tuple[Rows, Rows]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Net sales, and goods brought back, by site, article and day of the week."""
        receipts, lines = till
        kind = receipts["kind"][lines["receipt"]]
        rung = np.isin(kind, (SALE, RETURN)) & (lines["kind"] != LINE_VOID)
        orders, order_lines = web
        sent = np.isin(order_lines["kind"], (ITEM, BACK))
        site = np.concatenate([
            receipts["site"][lines["receipt"]][rung], orders["site"][order_lines["order"]][sent]
        ])  # fmt: skip
        article = np.concatenate([lines["article"][rung], order_lines["article"][sent]])
        day = np.concatenate([
            receipts["day"][lines["receipt"]][rung], orders["day"][order_lines["order"]][sent]
        ])  # fmt: skip
        milli = np.concatenate([lines["milli"][rung], order_lines["milli"][sent]])
        shape = (*self.counted.shape, len(week.days))
        place = np.ravel_multi_index((site, article, day - week.days[0]), shape)
        total = int(np.prod(shape))
        sold, back = (
            np.bincount(place, weights=weights, minlength=total).astype(np.int64).reshape(shape)
            for weights in (milli, np.where(milli < 0, -milli, 0))
        )
        return sold, back

    def _between(
        self, rng: np.random.Generator, needed: np.ndarray, back: np.ndarray, first: np.ndarray,
        *, day: int, is_last: bool,
    ) -> list[Rows]:  # fmt: skip
        """Movements between two counts: what is needed comes in with what is written off again."""
        lost = np.zeros_like(needed)
        stolen = np.zeros_like(needed)
        if is_last:
            spoils = self.perishable & (rng.random(needed.shape) < EXPIRY_SHARE)
            lost = np.where(spoils, self.unit, 0)
            start, end = (share * self.plan.days for share in THEFT_SPAN)
            if start <= day < end:
                stolen[self.thief_shop, self.dear] = PIECE
        sent = self._transfers(rng, needed + lost + stolen) if is_last else None
        moved = np.zeros_like(needed) if sent is None else sent
        comes = needed + lost + stolen - moved
        parts = [
            self._rows(GOODS_IN, np.maximum(comes, 0), first),
            self._rows(ADJUSTED, np.minimum(comes, 0), day, reason=COUNTED),
            self._rows(WASTE, -back, day, reason=RETURNED_GOODS),
            self._rows(WASTE, -lost, day, reason=EXPIRED),
            self._rows(THEFT, -stolen, day, reason=STOLEN),
        ]
        if sent is not None:
            parts += self._moved(sent, day)
        return parts

    def _transfers(self, rng: np.random.Generator, comes: np.ndarray) -> np.ndarray | None:
        """Pieces that a shop passes on to the next one, which then needs less from outside."""
        if self.shops < 2:
            return None
        moved = np.zeros_like(comes)
        for _ in range(TRANSFERS_WEEK):
            shop, article = int(rng.integers(self.shops)), int(rng.integers(comes.shape[1]))
            other = (shop + 1) % self.shops
            wanted = TRANSFER_UNITS * PIECE
            free = not moved[:, article].any() and not self.market.catalogue.is_weighed[article]
            if free and comes[other, article] >= wanted:
                moved[shop, article], moved[other, article] = -wanted, wanted
        return moved

    def _moved(self, moved: np.ndarray, day: int) -> list[Rows]:
        leaves = self._rows(LEAVES, np.minimum(moved, 0), day)
        arrives = self._rows(ARRIVES, np.maximum(moved, 0), day)
        leaves["other"] = (leaves["site"] + 1) % self.shops
        arrives["other"] = (arrives["site"] - 1) % self.shops
        return [leaves, arrives]

    @staticmethod
    def _rows(
        kind: int, milli: np.ndarray, day: np.ndarray | int, *, reason: int = -1
    ) -> Rows:  # fmt: skip
        site, article = np.nonzero(milli)
        days = np.broadcast_to(day, milli.shape)[site, article]
        return {
            "kind": np.full(site.size, kind), "site": site, "article": article, "day": days,
            "milli": milli[site, article], "reason": np.full(site.size, reason),
            "other": np.full(site.size, -1),
        }  # fmt: skip


def movement_columns(rows: Rows, week: Week, market: Market, midnight: np.ndarray) -> Columns:
    """``lantern_movements``: one row per movement, in the order of time."""
    seconds = np.array([MORNING - 60, MORNING, EVENING, EVENING, EVENING, MORNING, NOON])
    moment = midnight[rows["day"]] + seconds[rows["kind"]]
    sort = np.lexsort((rows["article"], rows["site"], rows["kind"], moment))
    rows = {name: values[sort] for name, values in rows.items()}
    country, catalogue = market.country, market.catalogue
    codes = [site.code for site in market.sites]
    size = rows["kind"].size
    head = f"M{country.code}{week.number:04d}"
    delivered = rows["kind"] == GOODS_IN
    supplier = np.where(delivered, catalogue.departments[rows["article"]], -1)
    return {
        "entry": text([f"{head}{n:06d}" for n in range(size)]),
        "what": picked(rows["kind"], KINDS),
        "shop": picked(rows["site"], codes),
        "article": picked(rows["article"], catalogue.codes),
        "qty": decimal(rows["milli"], 3),
        "moved_at": local_times(moment[sort], country.time_zone),
        "other_shop": picked(rows["other"], codes),
        "supplier": picked(supplier, [supplier_code(country.code, d.name) for d in DEPARTMENTS]),
        "why": picked(rows["reason"], REASONS),
        "cost_each": decimal(catalogue.cost[rows["article"]], country.minor_digits),
        "curr": same(country.currency, size),
    }


def supplier_code(country: str, department: str) -> str:
    """One supplier for each department of a country."""
    return f"{country}-SUP-{department[:4].upper()}"


def theft_columns(plan: Plan, shelves: list[Shelves]) -> Columns:
    """``stock_thefts``: the shop and articles of each country that lose a piece every week."""
    rows = [
        (book.market.sites[book.thief_shop].code, book.market.catalogue.codes[article])
        for book in shelves
        for article in book.dear.tolist()
    ]
    first, last = (int(share * plan.days) for share in THEFT_SPAN)
    return {
        "store_code": text([row[0] for row in rows]),
        "product_code": text([row[1] for row in rows]),
        "from_date": text([plan.day(first).isoformat()] * len(rows)),
        "to_date": text([plan.day(last - 1).isoformat()] * len(rows)),
    }
