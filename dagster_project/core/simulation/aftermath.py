"""What follows from a country's week of sales, and which files tell it.

Belongs here: drawers, parcels, stock books, details, prepaid cards, answers and cases, in order.
Does not: how any of it comes about. Nothing here changes what was sold.
"""

from __future__ import annotations

import numpy as np

from dagster_project.core.simulation import details, parcels, prepaid, sessions, shelves, voices
from dagster_project.core.simulation.columns import Columns, stacked
from dagster_project.core.simulation.demand import Market, Sales
from dagster_project.core.simulation.output import Output
from dagster_project.core.simulation.people import People
from dagster_project.core.simulation.plan import Plan, Week
from dagster_project.core.simulation.receipts import ClosedWeek
from dagster_project.core.simulation.staff import staff_versions
from dagster_project.core.simulation.till_files import cashiers
from dagster_project.core.simulation.tills import LINE_SALE, SALE, Rows
from dagster_project.core.simulation.voices import Served
from dagster_project.core.simulation.web import ITEM, PLACED

Online = tuple[Rows, Rows, Rows, np.ndarray]  # orders, lines, payments, when each was placed


class Aftermath:
    """Everything of one country that follows from its sales from week to week."""

    def __init__(self, plan: Plan, market: Market, people: People, midnight: np.ndarray) -> None:
        """Begin with full shelves, nothing on its way and no card sold."""
        self.plan, self.market, self.people = plan, market, people
        self.country, self.midnight = market.country, midnight
        self.staff = staff_versions(plan, self.country)
        self.parcels = parcels.Parcels(plan, self.country, midnight)
        self.shelves = shelves.Shelves(plan, market)
        self.cards = prepaid.PrepaidCards(plan, self.country)
        self.collected: dict[str, list[Columns]] = {}
        self.differences: list[Columns] = []
        self.case_persons: list[Columns] = []

    def week(
        self, week: Week, sales: Sales, output: Output, label: str, *, closed: ClosedWeek,
        online: Online,
    ) -> None:  # fmt: skip
        """Write one week's files."""
        orders, lines, payments, moments = online
        self._drawers(week, output, label, closed)
        self._parcels(week, online)
        moved = self.shelves.week(
            week, sales, till=(closed.receipts, closed.lines), web=(orders, lines)
        )
        columns = shelves.movement_columns(moved, week, self.market, self.midnight)
        self._collect("movements", columns)
        self._details(closed)
        entries = self.cards.week(week, closed, orders, payments, moments)
        sites = self.market.sites
        self._collect("prepaid", prepaid.prepaid_columns(entries, self.country, sites))
        self._voices(week, self._served(closed, online))
        self._deliver_months(week, output)

    def _collect(self, stream: str, columns: Columns) -> None:
        """Keep rows of a stream that has one file a month."""
        self.collected.setdefault(stream, []).append(columns)

    def _deliver_months(self, week: Week, output: Output) -> None:
        """Write the month's files with the last week that begins in it."""
        weeks = self.plan.weeks
        month = f"{self.plan.day(week.days[0]):%Y-%m}"
        later = weeks[week.number + 1].days[0] if week.number + 1 < len(weeks) else None
        if later is not None and f"{self.plan.day(later):%Y-%m}" == month:
            return
        for stream, parts in self.collected.items():
            output.deliver(stream, f"{self.country.code}_{month}", stacked(parts))
        self.collected = {}

    def _drawers(self, week: Week, output: Output, label: str, closed: ClosedWeek) -> None:
        sites, country = self.market.sites, self.country
        rows = sessions.make_sessions(self.plan, week, country, sites, closed)
        columns = sessions.session_columns(rows, country, sites, self.midnight)
        output.deliver("sessions", label, columns)
        self.differences.append(sessions.difference_columns(self.plan, rows, country, sites))

    def _parcels(self, week: Week, online: Online) -> None:
        orders, lines, _, moments = online
        told = self.parcels.week(week, orders, lines, moments)
        sites, country = self.market.sites, self.country
        self._collect("parcels", parcels.parcel_columns(told, country, sites))
        back = parcels.refund_columns(
            self.plan, week, country, orders=orders, lines=lines, moments=moments
        )
        self._collect("refunds", back)

    def _details(self, closed: ClosedWeek) -> None:
        catalogue, country = self.market.catalogue, self.country
        rows = details.make_discounts(closed, catalogue)
        columns = details.discount_columns(rows, closed, catalogue, country)
        self._collect("discounts", columns)
        self._collect("taxes", details.tax_columns(closed, catalogue, country))
        used = details.redemption_columns(
            self.plan, rows, closed, catalogue, country=country, sites=self.market.sites,
            people=self.people,
        )  # fmt: skip
        self._collect("redemptions", used)

    def _voices(self, week: Week, served: list[Served]) -> None:
        plan, country, sites = self.plan, self.country, self.market.sites
        place = {"en": 0, "zh": 1, "fa": 2}[country.language]
        goods = [good[place] for good in self.market.catalogue.goods]
        answers = voices.make_answers(plan, week, country, served)
        columns = voices.answer_columns(answers, country, sites, self.people, goods)
        self._collect("surveys", columns)
        cases = voices.make_cases(plan, week, country, served)
        columns = voices.case_columns(cases, country, sites, self.people, goods)
        self._collect("cases", columns)
        self.case_persons.append(voices.case_person_columns(cases, self.people))

    def _served(self, closed: ClosedWeek, online: Online) -> list[Served]:
        """Honest sales of the week, at the tills and online."""
        receipts, lines = closed.receipts, closed.lines
        orders, order_lines, _, moments = online
        codes = [site.code for site in self.market.sites]
        operators = cashiers(receipts["site"], receipts["cashier"], codes)
        sold = (receipts["kind"] == SALE) & (receipts["fraud"] == None)  # noqa: E711
        sold, article = _first_articles(sold, lines["receipt"], lines["kind"] == LINE_SALE, lines)
        placed, ordered = _first_articles(
            orders["state"] == PLACED, order_lines["order"], order_lines["kind"] == ITEM,
            order_lines,
        )  # fmt: skip
        till = Served(
            "till", closed.bons[sold], receipts["site"][sold], receipts["person"][sold],
            receipts["account"][sold], closed.moments[sold],
            np.array(operators.take(sold).to_pylist(), dtype=object), article,
        )  # fmt: skip
        web = Served(
            "web", orders["number"][placed], orders["site"][placed], orders["person"][placed],
            orders["account"][placed], moments[placed],
            np.full(placed.size, None, dtype=object), ordered,
        )  # fmt: skip
        return [till, web]


def _first_articles(
    chosen: np.ndarray, owner: np.ndarray, sells: np.ndarray, lines: Rows
) -> tuple[np.ndarray, np.ndarray]:
    """Places of the chosen headers that sell something, and the first article of each."""
    first = np.full(chosen.size, -1)
    at = np.flatnonzero(sells)[::-1]
    first[owner[at]] = lines["article"][at]
    found = np.flatnonzero(chosen & (first >= 0))
    return found, first[found]
