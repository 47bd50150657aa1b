"""The whole simulation, week by week and country by country.

Belongs here: the order of things, and which files come out of it. Does not: any of the things.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb
import numpy as np

from dagster_project.core.simulation import masters, till_files
from dagster_project.core.simulation.catalogue import make_catalogue
from dagster_project.core.simulation.club import (
    Ledger,
    consent_rows,
    member_columns,
    member_versions,
    points_columns,
    version_moments,
)
from dagster_project.core.simulation.columns import Columns, stacked, write_columns
from dagster_project.core.simulation.demand import Market
from dagster_project.core.simulation.people import make_people
from dagster_project.core.simulation.plan import (
    COUNTRIES,
    SENDER,
    Country,
    FaultLevel,
    Plan,
    Week,
    midnights,
)
from dagster_project.core.simulation.receipts import (
    ClosedWeek,
    close_week,
    number_receipts,
    total_receipts,
)
from dagster_project.core.simulation.tills import Tills

DEFAULT_START = date(2017, 1, 1)
Progress = Callable[[str, int, int], None]
PIPES = "header, delimiter '|'"
TABS = "header, delimiter '\t'"


@dataclass(frozen=True)
class SimulationOutcome:
    """What was written: files and rows by feed, and till lines among them."""

    file_count: int
    row_counts: tuple[tuple[str, int], ...]

    @property
    def till_line_count(self) -> int:
        """Rows of ``lantern_lines``."""
        return dict(self.row_counts)[f"{SENDER}_lines"]


@dataclass
class Output:
    """Where files go, and how many rows each feed has got."""

    connection: duckdb.DuckDBPyConnection
    out: Path
    files: int = 0
    rows: dict[str, int] = field(default_factory=dict)

    def deliver(self, stream: str, name: str, columns: Columns, options: str = "header") -> None:
        """Write one file of the feed ``lantern_<stream>``."""
        feed = f"{SENDER}_{stream}"
        path = self.out / "landing" / feed / name
        count = write_columns(self.connection, columns, path, options)
        self.files += 1
        self.rows[feed] = self.rows.get(feed, 0) + count


class CountryRun:
    """Everything of one country that goes on from week to week."""

    def __init__(self, plan: Plan, country: Country) -> None:
        """Draw the country's range and people."""
        self.plan = plan
        self.country = country
        self.catalogue = make_catalogue(plan, country)
        self.people = make_people(plan, country)
        self.market = Market(plan, country, self.catalogue)
        self.tills = Tills(plan, self.market, self.people)
        self.ledger = Ledger(self.people)
        self.midnight = midnights(plan, country.time_zone)

    def week(self, week: Week, output: Output) -> None:
        """Simulate and write one week."""
        sales = self.market.sell(week)
        name = f"{self.country.code}_{week.label}"
        columns = masters.stock_columns(self.plan, self.market, week, sales)
        output.deliver("stock", f"stock_{name}.tsv", columns, TABS)
        rng, journal = self.tills.week(week, sales)
        numbered = number_receipts(rng, self.plan, self.market.sites, *journal.closed())
        receipts, lines, bons = numbered
        receipts = total_receipts(receipts, lines, self.country.currency)
        self.tills.remember_returns(rng, week, receipts, lines, bons)
        used = self.ledger.use(rng, receipts["account"], receipts["total"])
        points = self.ledger.book(receipts["account"], receipts["total"], used)
        closed = close_week(
            rng, self.plan, week, self.market, self.people, (receipts, lines, bons),
            self.midnight, used, None,
        )  # fmt: skip
        self._write_tills(name, closed, output)
        entries = points_columns(
            self.ledger, receipts["account"], points, used, bons, closed.moments
        )
        output.deliver("points", f"points_{name}.csv", entries, PIPES)

    def _write_tills(self, name: str, closed: ClosedWeek, output: Output) -> None:
        sites, dialect = self.market.sites, till_files.DIALECT
        files = (
            ("receipts", till_files.receipt_columns(closed, sites, self.country, self.people)),
            ("lines", till_files.line_columns(closed, self.catalogue, self.country)),
            ("tenders", till_files.tender_columns(closed, self.country, None)),
            ("steps", till_files.step_columns(closed, self.country)),
        )
        for stream, columns in files:
            output.deliver(stream, f"{stream}_{name}.csv", columns, dialect)


def simulate(
    out: Path, *, stores: int, days: int, customers: int, seed: int, faults: FaultLevel,
    start: date = DEFAULT_START, on_progress: Progress | None = None,
) -> SimulationOutcome:  # fmt: skip
    """Write the sender ``lantern``'s files below ``<out>/landing`` and the truth behind them.

    The same arguments give the same bytes. ``on_progress`` is called with a step's name, how many
    steps are done and how many there are. Raises SimulationError on arguments that make no
    retailer.
    """
    plan = Plan(stores, days, customers, seed, faults, start)
    with duckdb.connect() as connection:
        connection.execute("set threads = 2")
        output = Output(connection, out)
        runs = [CountryRun(plan, country) for country in COUNTRIES]
        _write_masters(plan, runs, output)
        _write_club(plan, runs, output)
        for number, week in enumerate(plan.weeks):
            for run in runs:
                run.week(week, output)
            if on_progress is not None:
                on_progress(week.label, number + 1, len(plan.weeks))
    return SimulationOutcome(output.files, tuple(sorted(output.rows.items())))


def _write_masters(plan: Plan, runs: list[CountryRun], output: Output) -> None:
    catalogues = [run.catalogue for run in runs]
    output.deliver("stores", f"shops_{plan.start.year}.csv", masters.store_columns(plan))
    for run in runs:
        columns = masters.article_columns(plan, run.catalogue)
        output.deliver("products", f"articles_{run.country.code}.csv", columns)
    for label, first, last in masters.quarters(plan):
        columns = masters.promotion_columns(plan, catalogues, first, last)
        output.deliver("promotions", f"actions_{label}.csv", columns)
        columns = masters.promotion_article_columns(plan, catalogues, first, last)
        output.deliver("promotion_products", f"action_articles_{label}.csv", columns)
    rates = masters.make_rates(plan)
    for month in masters.months(plan, masters.RATE_LEAD_DAYS):
        output.deliver("rates", f"rates_{month}.csv", masters.rate_columns(plan, rates, month))


def _write_club(plan: Plan, runs: list[CountryRun], output: Output) -> None:
    """Members and consents by month; everything before the run stands in the first file."""
    starts = _month_starts(plan)
    members: list[list[Columns]] = [[] for _ in starts]
    consents: list[list[Columns]] = [[] for _ in starts]
    for run in runs:
        versions = member_versions(plan, run.people)
        moments = version_moments(plan, run.people, versions)
        month = np.maximum(np.searchsorted(starts, moments, side="right") - 1, 0)
        rows, stated = consent_rows(plan, run.people)
        consent_month = np.maximum(np.searchsorted(starts, stated, side="right") - 1, 0)
        for n in range(len(starts)):
            chosen = np.flatnonzero(month == n)
            members[n].append(member_columns(plan, run.people, versions, chosen, moments))
            where = np.flatnonzero(consent_month == n)
            consents[n].append({name: column.take(where) for name, column in rows.items()})
    for n, label in enumerate(masters.months(plan)):
        output.deliver("members", f"members_{label}.csv", stacked(members[n]), PIPES)
        output.deliver("consents", f"consents_{label}.csv", stacked(consents[n]), PIPES)


def _month_starts(plan: Plan) -> np.ndarray:
    """First moment of every month at head office, in seconds since 1970."""
    starts = midnights(plan, masters.HEAD_OFFICE)
    firsts = [n for n, day in enumerate(plan.dates) if n == 0 or day.day == 1]
    return starts[firsts]
