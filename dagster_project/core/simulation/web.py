"""One week of a country's web shop and app: orders, their lines and payments.

Belongs here: how orders come about, go back and are called off. Does not: the clicks before them
(``clicks``) or the files (``web_files``). Every order balances: lines that are not dropped, tax
and postage included, are the sum of its payments.
"""

from __future__ import annotations

import numpy as np

from dagster_project.core.simulation.baskets import (
    day_seconds,
    draw_shoppers,
    fill_baskets,
    halves_up,
    price_lines,
)
from dagster_project.core.simulation.demand import Market, Sales
from dagster_project.core.simulation.people import PLAIN, People, draw_spelling
from dagster_project.core.simulation.plan import Plan, Stream, Week, midnights, utc_offsets
from dagster_project.core.simulation.receipts import rank_within
from dagster_project.core.simulation.tills import Rows, amount_rows

PLACED, RETURNED, CANCELLED = range(3)
STATES = ("placed", "returned", "cancelled")
ITEM, POSTAGE, BACK, DROPPED = range(4)
LINE_KINDS = ("item", "postage", "back", "dropped")
CARD, ALIPAY, WECHAT, WALLET, GIFT = range(5)
METHODS = ("card", "ali", "wx", "wallet", "gift")
METHOD_SHARES = {
    "CN": (0.08, 0.50, 0.42, 0.0, 0.0),
    "IR": (1.0, 0.0, 0.0, 0.0, 0.0),
    "GB": (0.82, 0.0, 0.0, 0.18, 0.0),
}
LINES_PER_ORDER = 2.3
LOGIN_SHARE = 0.62
FREE_POSTAGE_FROM = 12  # times the postage
CANCELLED_SHARE = 0.03
RETURN_SHARE = 0.06  # of lines
RETURN_DAYS = (4, 30)
GIFT_SHARE = 0.03
INSTALMENT_SHARE = 0.10
INSTALMENTS_FROM = 40  # times the postage
TWO_HOURS = 7200
NO_ARTICLE = -1
RARELY = 1e-9  # weight of those who never order online, for weeks in which nobody else is there


class WebShop:
    """The web shop and app of one country; weeks are taken in order, for parcels come back."""

    def __init__(self, plan: Plan, market: Market, people: People) -> None:
        """Start with nothing to be returned."""
        self.plan = plan
        self.market = market
        self.people = people
        self.shops = len(plan.shops(market.country))
        self.coming_back: Rows | None = None
        self.short_days = self._short_days()

    def _short_days(self) -> np.ndarray:
        """Days on which the clocks change: nobody orders in their first two hours."""
        zone = self.market.country.time_zone
        starts = midnights(self.plan, zone)
        return utc_offsets(zone, starts) != utc_offsets(zone, starts + 43200)

    def week(self, week: Week, sales: Sales) -> tuple[np.random.Generator, Rows, Rows, Rows]:
        """The week's orders, lines and payments; ``order`` columns point into the orders."""
        country = self.market.country
        rng = self.plan.generator(Stream.WEB, country.number, week.number)
        orders, lines = self._place(rng, sales.sold[self.shops :], week)
        parts = [(orders, lines), self._cancel(rng, orders, lines), self._take_back(week)]
        orders, lines = self._numbered(parts)
        lines = self._with_postage(orders, lines)
        gross = lines["list"] - lines["discount"] + lines["tax"]
        gross[lines["kind"] == DROPPED] = 0
        total = np.bincount(lines["order"], weights=gross, minlength=orders["day"].size)
        orders["total"] = total.astype(np.int64)
        self._remember_returns(rng, week, orders, lines)
        return rng, orders, lines, self._pay(rng, orders, week)

    def _place(self, rng: np.random.Generator, sold: np.ndarray, week: Week) -> tuple[Rows, Rows]:
        people, catalogue = self.people, self.market.catalogue
        baskets = fill_baskets(
            rng, catalogue, sold, days=week.days, lines_per_basket=LINES_PER_ORDER
        )
        count = baskets.site.size
        person = self._shoppers(rng, baskets.day, week)
        logs_in = (rng.random(count) < LOGIN_SHARE) & (people.account[person] >= 0)
        by_hand = draw_spelling(rng, self.plan, count)
        second = day_seconds(rng, np.zeros(count), np.full(count, 86400), 0.6)
        late = self.short_days[baskets.day] & (second < TWO_HOURS)
        orders = {
            "site": baskets.site + self.shops, "day": baskets.day, "person": person,
            "sec": np.where(late, second + TWO_HOURS, second),
            "account": np.where(logs_in, people.account[person], -1),
            "spelling": np.where(logs_in, PLAIN, by_hand),
            "cookie": rng.choice(3, count, p=[0.7, 0.22, 0.08]),
            "method": self._methods(rng, person),
            "state": np.full(count, PLACED), "source": np.full(count, -1),
            "gives_phone": logs_in | (rng.random(count) < 0.8),
            "gives_mail": logs_in | (rng.random(count) < 0.85),
        }  # fmt: skip
        day = baskets.day[baskets.basket]
        amounts = price_lines(catalogue, baskets.article, day, baskets.milli)
        lines = {
            "order": baskets.basket, "article": baskets.article, "milli": baskets.milli,
            "kind": np.full(day.size, ITEM), "from_order": np.full(day.size, None, dtype=object),
            "from_pos": np.zeros(day.size, dtype=np.int64),
        }  # fmt: skip
        return orders, lines | amount_rows(amounts)

    def _shoppers(self, rng: np.random.Generator, day: np.ndarray, week: Week) -> np.ndarray:
        """Only people the simulation follows order online, while they are customers."""
        people, pool = self.people, np.zeros(day.size, dtype=np.int64)
        same_pool = np.zeros(people.size, dtype=np.int64)
        some = (people.from_day <= week.days[-1]) & (people.churn_day > week.days[0])
        all_week = (people.from_day <= week.days[0]) & (people.churn_day > week.days[-1])
        first, sure = (
            draw_shoppers(
                rng,
                people,
                group=pool,
                of_person=same_pool,
                weight=(people.web + RARELY) * mask,
                day=day,
                known_share=1.0,
            )
            for mask in (some, all_week)
        )
        found = np.where(first >= 0, first, sure)
        return np.where(found >= 0, found, int(np.argmax(people.churn_day)))

    def _methods(self, rng: np.random.Generator, person: np.ndarray) -> np.ndarray:
        shares = METHOD_SHARES[self.market.country.code]
        method = rng.choice(len(shares), person.size, p=shares)
        other = {"CN": ALIPAY, "IR": WALLET, "GB": WALLET}[self.market.country.code]
        return np.where((method == CARD) & (self.people.card_bin[person] < 0), other, method)

    def _cancel(self, rng: np.random.Generator, orders: Rows, lines: Rows) -> tuple[Rows, Rows]:
        """Orders called off at once: like another one of the week, but with nothing sold."""
        count = orders["day"].size
        some = rng.poisson(count * CANCELLED_SHARE)
        like = np.sort(rng.integers(0, max(1, count), some)).astype(np.int64)
        copied = {name: values[like] for name, values in orders.items()}
        copied["state"] = np.full(like.size, CANCELLED)
        copied["sec"] = np.minimum(copied["sec"] + 240, 86399)
        first = np.searchsorted(lines["order"], like)
        dropped = {name: values[first] for name, values in lines.items()}
        dropped |= {"order": np.arange(like.size), "kind": np.full(like.size, DROPPED)}
        return copied, dropped

    def _take_back(self, week: Week) -> tuple[Rows, Rows] | None:
        if self.coming_back is None:
            return None
        due = self.coming_back["day"] <= week.days[-1]
        back = {name: values[due] for name, values in self.coming_back.items()}
        self.coming_back = {name: values[~due] for name, values in self.coming_back.items()}
        count = int(due.sum())
        of_order = ("site", "day", "person", "sec", "account", "spelling", "cookie", "method",
                    "gives_phone", "gives_mail")  # fmt: skip
        orders = {name: back[name] for name in of_order}
        orders |= {"state": np.full(count, RETURNED), "source": np.full(count, -1)}
        same = ("article", "price", "promotion", "from_order", "from_pos")
        turned = ("milli", "list", "discount", "tax", "cost")
        lines = {name: back[name] for name in same} | {name: -back[name] for name in turned}
        lines |= {"order": np.arange(count), "kind": np.full(count, BACK)}
        return orders, lines

    def _numbered(self, parts: list[tuple[Rows, Rows] | None]) -> tuple[Rows, Rows]:
        given = [part for part in parts if part is not None]
        sizes = np.cumsum([0, *(orders["day"].size for orders, _ in given)])
        orders = {n: np.concatenate([p[0][n] for p in given]) for n in given[0][0]}
        lines = {n: np.concatenate([p[1][n] for p in given]) for n in given[0][1]}
        owner = np.concatenate([p[1]["order"] + at for p, at in zip(given, sizes, strict=False)])
        order = np.lexsort((orders["state"], orders["sec"], orders["day"]))
        orders = {name: values[order] for name, values in orders.items()}
        sequence = rank_within(orders["day"]) + 1
        dates = [day.strftime("%y%m%d") for day in self.plan.dates]
        code = self.market.country.code
        orders["number"] = np.array(
            [
                f"W{code}{dates[d]}{s:05d}"
                for d, s in zip(orders["day"].tolist(), sequence.tolist(), strict=True)
            ],
            dtype=object,
        )
        place = np.empty(order.size, dtype=np.int64)
        place[order] = np.arange(order.size)
        by_order = np.argsort(place[owner], kind="stable")
        lines = {name: values[by_order] for name, values in lines.items()}
        lines["order"] = place[owner][by_order]
        return orders, lines

    def _with_postage(self, orders: Rows, lines: Rows) -> Rows:
        country = self.market.country
        net = np.bincount(
            lines["order"], weights=lines["list"] - lines["discount"], minlength=orders["day"].size
        )
        pays = (orders["state"] == PLACED) & (net < FREE_POSTAGE_FROM * country.postage)
        order = np.flatnonzero(pays)
        fee = np.full(order.size, country.postage)
        nothing = np.zeros(order.size, dtype=np.int64)
        tax = halves_up(fee * round(country.tax * 10_000), 10_000)
        postage = {
            "order": order, "article": np.full(order.size, NO_ARTICLE), "milli": nothing + 1000,
            "kind": np.full(order.size, POSTAGE), "price": fee, "list": fee, "discount": nothing,
            "tax": tax, "cost": nothing, "promotion": nothing - 1, "from_pos": nothing,
            "from_order": np.full(order.size, None, dtype=object),
        }  # fmt: skip
        lines = {name: np.concatenate([values, postage[name]]) for name, values in lines.items()}
        sort = np.argsort(lines["order"], kind="stable")
        lines = {name: values[sort] for name, values in lines.items()}
        return lines | {"pos": rank_within(lines["order"]) + 1}

    def _remember_returns(
        self, rng: np.random.Generator, week: Week, orders: Rows, lines: Rows
    ) -> None:
        bought = (lines["kind"] == ITEM) & (lines["list"] > 0)
        chosen = np.flatnonzero(bought & (rng.random(bought.size) < RETURN_SHARE))
        of = lines["order"][chosen]
        found = {name: lines[name][chosen] for name in (
            "article", "milli", "price", "list", "discount", "tax", "cost", "promotion"
        )}  # fmt: skip
        found |= {name: orders[name][of] for name in (
            "site", "person", "account", "spelling", "cookie", "method", "gives_phone", "gives_mail"
        )}  # fmt: skip
        day = orders["day"][of] + rng.integers(*RETURN_DAYS, chosen.size)
        found |= {"day": day, "from_order": orders["number"][of], "from_pos": lines["pos"][chosen]}
        found["sec"] = 9 * 3600 + rng.integers(0, 8 * 3600, chosen.size)
        kept = (day > week.days[-1]) & (day < self.plan.days)
        found = {name: values[kept] for name, values in found.items()}
        old = self.coming_back
        self.coming_back = (
            found if old is None
            else {name: np.concatenate([old[name], found[name]]) for name in found}
        )  # fmt: skip

    def _pay(self, rng: np.random.Generator, orders: Rows, week: Week) -> Rows:
        country = self.market.country
        paid = np.flatnonzero(orders["total"] != 0)
        total = orders["total"][paid]
        split = (rng.random(paid.size) < GIFT_SHARE) & (orders["state"][paid] == PLACED)
        gift = np.where(split, total // 4, 0)
        of_gift = np.flatnonzero(gift)
        order = np.concatenate([paid[of_gift], paid])
        method = np.concatenate([np.full(of_gift.size, GIFT), orders["method"][paid]])
        amount = np.concatenate([gift[of_gift], total - gift])
        sort = np.lexsort((method != GIFT, order))
        order, method, amount = order[sort], method[sort], amount[sort]
        many = (method == CARD) & (amount > INSTALMENTS_FROM * country.postage)
        many &= rng.random(order.size) < INSTALMENT_SHARE
        person = orders["person"][order]
        card = method == CARD
        own = card & (self.people.card_bin[person] >= 0)
        other = rng.integers(0, self.people.other_cards.size, order.size)
        pan = np.where(own, self.people.card[person], self.people.other_cards[other])
        bins = np.where(own, self.people.card_bin[person], self.people.other_bins[other])
        first = (country.number * 1000 + week.number) * 10**7 + 5 * 10**10
        return {
            "order": order, "method": method, "amount": amount, "nr": rank_within(order) + 1,
            "parts": np.where(many, 3, 1), "pan": np.where(card, pan, None),
            "bin": np.where(card, bins, -1), "auth": rng.integers(0, 10**6, order.size),
            "ref": first + np.arange(order.size),
        }  # fmt: skip
