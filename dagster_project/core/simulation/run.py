"""The whole simulation: what is told once, and then week by week.

Belongs here: the entry point and the files that are not weekly. Does not: a country's week
(``country``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import numpy as np

from dagster_project.core.simulation import (
    details,
    masters,
    parcels,
    shelves,
    staff,
    truth,
    voices,
)
from dagster_project.core.simulation.club import (
    Versions,
    consent_rows,
    member_columns,
    member_versions,
    version_moments,
)
from dagster_project.core.simulation.columns import Columns, stacked, text
from dagster_project.core.simulation.country import CountryRun
from dagster_project.core.simulation.delivery import one_line_errors, prepare
from dagster_project.core.simulation.faults import LOADED, plan_faults
from dagster_project.core.simulation.output import Output
from dagster_project.core.simulation.people import SCRIPT
from dagster_project.core.simulation.plan import (
    COUNTRIES,
    SENDER,
    FaultLevel,
    Plan,
    Stream,
    midnights,
)
from dagster_project.core.simulation.posts import Post, make_posts
from dagster_project.core.simulation.receipts import SlowStep

DEFAULT_START = date(2017, 1, 1)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class SimulationOutcome:
    """What was written: files, and good rows by feed, each counted once."""

    file_count: int
    row_counts: tuple[tuple[str, int], ...]

    @property
    def till_line_count(self) -> int:
        """Rows of ``lantern_lines``."""
        return dict(self.row_counts)[f"{SENDER}_lines"]


def simulate(
    out: Path, *, stores: int, days: int, customers: int, seed: int, faults: FaultLevel,
    start: date = DEFAULT_START, on_progress: Progress | None = None,
) -> SimulationOutcome:  # fmt: skip
    """Write the sender ``lantern``'s files below ``<out>/landing`` and the truth behind them.

    The same arguments give the same bytes. ``on_progress`` is called with a week, how many weeks
    are done and how many there are. Raises SimulationError with one line on arguments that make
    no retailer, and where nothing can be written.
    """
    plan = Plan(stores, days, customers, seed, faults, start)
    with one_line_errors(out), duckdb.connect() as connection:
        prepare(connection)
        months = masters.months(plan)
        output = Output(connection, plan, out, plan_faults(plan, months))
        slow = _slow_step(plan)
        runs = [CountryRun(plan, country, slow) for country in COUNTRIES]
        _write_masters(plan, runs, output)
        _write_club(plan, runs, output)
        _write_posts(runs, output)
        for number, week in enumerate(plan.weeks):
            for run in runs:
                run.week(week, output)
            if on_progress is not None:
                on_progress(week.label, number + 1, len(plan.weeks))
        _tell_truth(plan, runs, slow, output)
    return SimulationOutcome(output.files, tuple(sorted(output.rows.items())))


def _slow_step(plan: Plan) -> SlowStep:
    """One till of one shop, slow at payments in the third fifth of the run."""
    rng = plan.generator(Stream.TILLS)
    shops = [site for site in plan.sites if site.kind == "shop"]
    site = shops[int(rng.integers(len(shops)))]
    return SlowStep(
        site=site.number, terminal=1 + int(rng.integers(site.terminals)),
        first_day=plan.days * 2 // 5, last_day=plan.days * 3 // 5, factor=2.6, error_share=0.09,
    )  # fmt: skip


def _write_masters(plan: Plan, runs: list[CountryRun], output: Output) -> None:
    catalogues = [run.catalogue for run in runs]
    output.deliver("stores", str(plan.start.year), masters.store_columns(plan))
    for run in runs:
        columns = masters.article_columns(plan, run.catalogue)
        output.deliver("products", run.country.code, columns)
        columns = masters.price_columns(plan, run.catalogue)
        output.deliver("prices", run.country.code, columns)
        columns = staff.employee_columns(plan, run.country, run.aftermath.staff)
        output.deliver("employees", run.country.code, columns)
        output.deliver("coupons", run.country.code, details.coupon_columns(plan, run.catalogue))
    for label, first, last in masters.quarters(plan):
        columns = masters.promotion_columns(plan, catalogues, first, last)
        output.deliver("promotions", label, columns)
        columns = masters.promotion_article_columns(plan, catalogues, first, last)
        output.deliver("promotion_products", label, columns)
    rates = masters.make_rates(plan)
    for month in masters.months(plan, masters.RATE_LEAD_DAYS, masters.RATE_TAIL_DAYS):
        output.deliver("rates", month, masters.rate_columns(plan, rates, month))


def _write_club(plan: Plan, runs: list[CountryRun], output: Output) -> None:
    """Members and consents by month; everything before the run stands in the first file."""
    starts = _month_starts(plan)
    known = [_known_members(plan, run) for run in runs]
    stated = [consent_rows(plan, run.people) for run in runs]
    for n, label in enumerate(masters.months(plan)):
        members: list[Columns] = []
        for run, (versions, moments) in zip(runs, known, strict=True):
            chosen = np.flatnonzero(_month_of(starts, moments) == n)
            members.append(member_columns(plan, run.people, versions, chosen, moments))
            spelling = run.people.accounts.spelling[versions.account[chosen]]
            odd = int((spelling == SCRIPT).sum())
            if odd:
                name = f"members_{label}.csv"
                output.report_fault("script_spelling", "members", name, odd, LOADED)
        output.deliver("members", label, stacked(members))
        consents = [
            {name: column.take(np.flatnonzero(_month_of(starts, moment) == n))
             for name, column in rows.items()}
            for rows, moment in stated
        ]  # fmt: skip
        output.deliver("consents", label, stacked(consents))


def _known_members(plan: Plan, run: CountryRun) -> tuple[Versions, np.ndarray]:
    versions = member_versions(plan, run.people)
    return versions, version_moments(plan, run.people, versions)


def _month_starts(plan: Plan) -> np.ndarray:
    """First moment of every month at head office, in seconds since 1970."""
    starts = midnights(plan, masters.HEAD_OFFICE)
    firsts = [n for n, day in enumerate(plan.dates) if n == 0 or day.day == 1]
    return starts[firsts]


def _month_of(starts: np.ndarray, moments: np.ndarray) -> np.ndarray:
    return np.maximum(np.searchsorted(starts, moments, side="right") - 1, 0)


def _write_posts(runs: list[CountryRun], output: Output) -> None:
    """Posts of all countries by month of the world's clock, and what their authors meant."""
    posts: list[Post] = []
    for run in runs:
        posts += make_posts(run.plan, run.catalogue, run.people, run.midnight)
    posts.sort(key=lambda post: (post.moment, post.post_id))
    by_month: dict[str, list[Post]] = {}
    for post in posts:
        month = datetime.fromtimestamp(post.moment, UTC).strftime("%Y-%m")
        by_month.setdefault(month, []).append(post)
    for month, written in by_month.items():
        content = "".join(f"{post.record}\n" for post in written).encode("utf-8")
        output.deliver_text("posts", month, content, len(written))
    output.tell("posts", {
        "post_id": text([post.post_id for post in posts]),
        "person_id": text([post.person_id for post in posts]),
        "mood": text([post.mood for post in posts]),
    })  # fmt: skip


def _tell_truth(plan: Plan, runs: list[CountryRun], slow: SlowStep, output: Output) -> None:
    """Everything that is not told week by week."""
    output.tell("arguments", truth.argument_columns(plan))
    output.tell("slow_step", truth.slow_step_columns(plan, slow, list(plan.sites)))
    output.tell("season_effects", truth.season_columns())
    output.tell("companions", truth.companion_columns())
    told = {
        "persons": [truth.person_columns(plan, run.people) for run in runs],
        "person_records": [truth.record_columns(run.people) for run in runs],
        "elasticities": [truth.elasticity_columns(run.catalogue) for run in runs],
        "promotion_effects": [truth.promotion_columns(plan, run.catalogue) for run in runs],
        "feast_effects": [truth.feast_columns(plan, run.country) for run in runs],
        "weekday_effects": [truth.weekday_columns(run.country) for run in runs],
        "frauds": [columns for run in runs for columns in run.frauds],
        "bill_exceptions": [columns for run in runs for columns in run.exceptions],
        "staff_changes": [staff.change_columns(plan, run.aftermath.staff) for run in runs],
        "till_differences": [columns for run in runs for columns in run.aftermath.differences],
        "slow_carriers": [parcels.slow_carrier_columns(plan, run.country) for run in runs],
        "service_quality": [
            voices.quality_columns(plan, run.country, run.market.sites) for run in runs
        ],
        "case_persons": [columns for run in runs for columns in run.aftermath.case_persons],
    }
    for table, parts in told.items():
        output.tell(table, stacked(parts))
    books = [run.aftermath.shelves for run in runs]
    output.tell("stock_thefts", shelves.theft_columns(plan, books))
    output.tell("faults", output.fault_columns())
    output.tell("totals", output.total_columns())
