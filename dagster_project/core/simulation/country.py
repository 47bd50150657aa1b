"""One country from week to week: what its shelves, tills, web shop and club do, in order.

Belongs here: the order of a week, and which of its files and truths are written. Does not: how
any of it comes about.
"""

from __future__ import annotations

import numpy as np

from dagster_project.core.simulation import bills, masters, till_files, truth, web_files
from dagster_project.core.simulation.aftermath import Aftermath
from dagster_project.core.simulation.catalogue import make_catalogue
from dagster_project.core.simulation.clicks import click_columns, make_clicks
from dagster_project.core.simulation.club import Ledger, points_columns
from dagster_project.core.simulation.columns import Columns, stacked
from dagster_project.core.simulation.demand import Market, Sales
from dagster_project.core.simulation.faults import LOADED, draw_cvv
from dagster_project.core.simulation.frauds import POINTS_KEPT, Crooks
from dagster_project.core.simulation.output import Output
from dagster_project.core.simulation.people import SCRIPT, make_people
from dagster_project.core.simulation.plan import Country, Plan, Stream, Week, midnights
from dagster_project.core.simulation.receipts import (
    ClosedWeek,
    SlowStep,
    close_week,
    number_receipts,
    total_receipts,
)
from dagster_project.core.simulation.tills import Rows, Tills
from dagster_project.core.simulation.web import WebShop


class CountryRun:
    """Everything of one country that goes on from week to week."""

    def __init__(self, plan: Plan, country: Country, slow: SlowStep) -> None:
        """Draw the country's range, people and crooks."""
        self.plan = plan
        self.country = country
        self.catalogue = make_catalogue(plan, country)
        self.people = make_people(plan, country)
        self.market = Market(plan, country, self.catalogue)
        self.tills = Tills(plan, self.market, self.people)
        self.crooks = Crooks(plan, self.market, self.people)
        self.web = WebShop(plan, self.market, self.people)
        self.ledger = Ledger(self.people)
        self.midnight = midnights(plan, country.time_zone)
        numbers = [site.number for site in self.market.sites]
        self.slow = self._own(slow, numbers) if slow.site in numbers else None
        self.aftermath = Aftermath(plan, self.market, self.people, self.midnight)
        self.frauds: list[Columns] = []
        self.exceptions: list[Columns] = []

    @staticmethod
    def _own(slow: SlowStep, numbers: list[int]) -> SlowStep:
        """The slow step with its shop's place among the country's sites."""
        return SlowStep(
            numbers.index(slow.site), slow.terminal, slow.first_day, slow.last_day,
            slow.factor, slow.error_share,
        )  # fmt: skip

    def week(self, week: Week, output: Output) -> None:
        """Simulate and write one week."""
        label = f"{self.country.code}_{week.label}"
        sales = self.market.sell(week)
        stock = masters.stock_columns(self.plan, self.market, week, sales)
        output.deliver("stock", label, stock)
        output.tell_part(
            "sold_out", label, truth.sold_out_columns(self.plan, self.market, week, sales)
        )
        closed, till_entries = self._till_week(week, sales, output, label)
        orders, lines, payments, moments, web_entries = self._web_week(week, sales, output, label)
        output.deliver("points", label, stacked([till_entries, web_entries]))
        self._bills(
            week, output, label,
            bills.till_payments(closed.receipts, closed.tenders, closed.moments),
            bills.web_payments(orders, payments, moments),
        )  # fmt: skip
        self.aftermath.week(
            week, sales, output, label, closed=closed, online=(orders, lines, payments, moments)
        )

    def _till_week(
        self, week: Week, sales: Sales, output: Output, label: str
    ) -> tuple[ClosedWeek, Columns]:
        rng, journal = self.tills.week(week, sales)
        self.crooks.cheat(week, journal)
        receipts, lines, bons = number_receipts(
            rng, self.plan, self.market.sites, *journal.closed()
        )
        receipts = total_receipts(receipts, lines, self.country.currency)
        self.tills.remember_returns(rng, week, receipts, lines, bons)
        self.crooks.look_at(receipts, bons)
        account = receipts["account"]
        used = self.ledger.use(rng, account, receipts["total"])
        points = self.ledger.worth(account, receipts["total"], used)
        kept = self.crooks.keep_points(rng, receipts, points)
        points = np.where(kept, 0, points)
        self.ledger.book(account, points, used)
        closed = close_week(
            rng, week, self.market, self.people, numbered=(receipts, lines, bons),
            midnight=self.midnight, points=used, slow=self.slow,
        )  # fmt: skip
        self._write_tills(closed, output, label)
        sites = self.market.sites
        self.frauds.append(truth.fraud_columns(self.plan, closed, kept, POINTS_KEPT, sites))
        output.tell_part(
            "receipt_persons", label, truth.receipt_person_columns(closed, self.people)
        )
        return closed, points_columns(
            self.ledger, account, points, used=used, receipt_ids=bons, moment=closed.moments
        )

    def _write_tills(self, closed: ClosedWeek, output: Output, label: str) -> None:
        week = closed.tenders["receipt"].size
        rng = self.plan.generator(Stream.FAULTS, self.country.number, week)
        cvv = draw_cvv(self.plan, rng, week)
        if cvv is not None:
            output.report_fault(
                "cvv", "tenders", f"tenders_{label}.csv", int((closed.tenders["bin"] >= 0).sum()),
                LOADED,
            )  # fmt: skip
        sites = self.market.sites
        files = (
            ("receipts", till_files.receipt_columns(closed, sites, self.country, self.people)),
            ("lines", till_files.line_columns(closed, self.catalogue, self.country)),
            ("tenders", till_files.tender_columns(closed, self.country, cvv)),
            ("steps", till_files.step_columns(closed, self.country)),
        )
        for stream, columns in files:
            output.deliver(stream, label, columns)

    def _web_week(
        self, week: Week, sales: Sales, output: Output, label: str
    ) -> tuple[Rows, Rows, Rows, np.ndarray, Columns]:
        _, orders, lines, payments = self.web.week(week, sales)
        moments = self.midnight[orders["day"]] + orders["sec"]
        sites, country = self.market.sites, self.country
        output.deliver(
            "orders", label, web_files.order_columns(orders, moments, country, sites, self.people)
        )
        odd = int(((orders["spelling"] == SCRIPT) & orders["gives_phone"]).sum())
        if odd:
            output.report_fault("script_spelling", "orders", f"orders_{label}.csv", odd, LOADED)
        output.deliver(
            "order_lines", label,
            web_files.order_line_columns(orders, lines, moments, country, self.catalogue),
        )  # fmt: skip
        output.deliver(
            "order_payments", label,
            web_files.payment_columns(orders, payments, moments, country, None),
        )  # fmt: skip
        events = make_clicks(
            self.plan, week, self.catalogue, self.people, midnight=self.midnight, orders=orders,
            lines=lines,
        )  # fmt: skip
        output.deliver("events", label, click_columns(
            events, week, sites, self.catalogue, people=self.people, order_numbers=orders["number"]
        ))  # fmt: skip
        output.tell_part("order_persons", label, truth.order_person_columns(orders, self.people))
        nothing = np.zeros(moments.size, dtype=np.int64)
        points = self.ledger.worth(orders["account"], orders["total"], nothing)
        self.ledger.book(orders["account"], points, nothing)
        return orders, lines, payments, moments, points_columns(
            self.ledger, orders["account"], points, used=nothing, receipt_ids=orders["number"],
            moment=moments,
        )  # fmt: skip

    def _bills(self, week: Week, output: Output, label: str, *parts: Rows) -> None:
        lines, wrong = bills.make_bills(self.plan, week, self.country, list(parts))
        digits, sites = self.country.minor_digits, self.market.sites
        for provider in np.unique(lines["provider"]).tolist():
            output.deliver(
                "bills", f"{bills.PROVIDERS[provider]}_{label}",
                bills.bill_columns(lines, self.country, sites, provider),
                lambda content, provider=provider: bills.frame_bill(
                    content, provider, lines, digits
                ),
            )  # fmt: skip
        self.exceptions.append(bills.exception_columns(wrong, sites, digits))
