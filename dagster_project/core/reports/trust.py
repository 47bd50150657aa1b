"""Sections that say how far a page's figures can be trusted.

Belongs here: forecast accuracy, checks, feeds, differences between versions. Does not: sales.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

import duckdb

from dagster_project.core.publishing import Publication
from dagster_project.core.reports import forecast_figures, quality
from dagster_project.core.reports import markup as m

MODELS = {
    "blend": "Mean of Prophet and boosted trees",
    "prophet": "Prophet",
    "boosted": "Boosted trees",
    "weekday_promotion_mean": "Average by weekday and promotion",
    "seasonal_naive": "Same day last week",
    "seasonal_naive_14": "Same day a fortnight ago",
    "intermittent_blend": "Mean of methods for rare sales",
    "box_office": "Films by week since release",
}
FORECASTS = {
    "net_sales": "Net sales",
    "units": "Units",
    "box_office": "Box office",
    "admissions": "Admissions",
}
LEVELS = {
    "total": "all together",
    "banner": "banners",
    "channel": "channels",
    "store": "stores",
    "category": "departments",
    "store_category": "departments of stores",
    "product": "products",
    "store_product": "products of stores",
    "film": "films",
    "film_store": "films in cinemas",
}
HEADLINE = ("net_sales", "total")
METRICS = {
    "gross_sales_amount_reporting": "Gross sales",
    "discounts_amount_reporting": "Discounts",
    "returns_amount_reporting": "Returns",
    "net_sales_amount_reporting": "Net sales",
    "tax_amount_reporting": "Tax",
    "units": "Units",
    "receipts": "Receipts",
    "baskets": "Baskets",
    "customers": "Known customers who bought",
}


def accuracy_section(levels: Sequence[forecast_figures.Accuracy]) -> str:
    """What is published of each level beside the simple forecasts it must beat."""
    if not levels:
        return m.section("How good is the forecast?", "There is no back-test yet.")
    rows = [
        (
            m.text(_of(one)),
            str(one.series),
            m.share(one.wape),
            m.share(one.naive_wape),
            m.share(one.mean_wape),
            m.share(one.bias),
            m.share(one.coverage_80, 0),
            m.text(MODELS.get(one.model, one.model)),
        )
        for one in levels
    ]
    heads = (
        "Forecast of",
        "Series",
        "Error",
        "Last week again",
        "Weekday mean",
        "Bias",
        "In the 80 % band",
        "Method",
    )
    return m.section(
        "How good is the forecast?",
        "Every method was tried on past days it had not seen. Error is the sum of misses as a "
        f"share of what came: lower is better. {_verdict(levels)}",
        m.table("Forecast accuracy by level", heads, rows, stacked=True),
        wide=True,
    )


def _of(one: forecast_figures.Accuracy) -> str:
    forecast = FORECASTS.get(one.forecast, one.forecast)
    return f"{forecast}, {LEVELS.get(one.level, one.level)}"


def _verdict(levels: Sequence[forecast_figures.Accuracy]) -> str:
    """What is published against the better simple method on the total, whoever wins."""
    total = next((one for one in levels if (one.forecast, one.level) == HEADLINE), None)
    if total is None or total.wape is None:
        return ""
    simple = {"last week again": total.naive_wape, "the weekday mean": total.mean_wape}
    known = {name: wape for name, wape in simple.items() if wape is not None}
    if not known:
        return ""
    best = min(known, key=lambda name: known[name])
    outcome = "beats" if total.wape < known[best] else "does not beat"
    return (
        f"On the total the forecast misses {m.share(total.wape)} and {outcome} the better simple "
        f"method, {best}, with {m.share(known[best])}."
    )


def quality_section(connection: duckdb.DuckDBPyConnection, publication: Publication) -> str:
    """How the checks went, and which did not pass."""
    counts = "".join(
        f'<li><span class="status {kind}">{number}</span> {word}</li>'
        for kind, number, word in (
            ("passed", publication.passed_check_count, "checks passed"),
            ("warned", publication.warned_check_count, "warned"),
            ("failed", publication.failed_check_count, "failed"),
        )
    )
    if not quality.has_checks(connection):
        return m.section("Can these figures be trusted?", "No check has run yet.", wide=True)
    troubled = quality.troubled_checks(connection)
    rows = [
        (
            f"{m.text(check.name)}<br><small>{m.text(check.table)}</small>",
            f'<span class="status {check.status}">{check.status}</span>',
            m.count(check.failed_count),
        )
        for check in troubled
    ]
    body = f'<ul class="legend">{counts}</ul>'
    if rows:
        heads = ("Check", "Status", "Rows")
        body += m.table("Checks that did not pass", heads, rows, left=(0, 1))
    return m.section(
        "Can these figures be trusted?",
        "A blocking check that fails stops publication, so none of those is open here.",
        body,
        wide=True,
    )


def store_days_section(connection: duckdb.DuckDBPyConnection) -> str:
    """How the days of the stores are graded; nothing where none is."""
    counts = quality.grade_counts(connection)
    if not counts:
        return ""
    told = ", ".join(f"{m.count(count)} {grade}" for grade, count in counts.items())
    rows = [
        (
            f"{m.text(one.store)}<br><small>{one.day}</small>",
            m.text(one.grade),
            m.text(one.reason),
        )
        for one in quality.poor_days(connection)
    ]
    heads = ("Store and day", "Grade", "Why")
    body = m.table("Days graded C or worse", heads, rows, left=(0, 1, 2)) if rows else ""
    return m.section(
        "Which days are complete?",
        "Each day of a store is graded from A to F for being complete, timely, balanced and "
        f"plausible. The last week: {told}.",
        body,
        wide=True,
    )


def feeds_section(connection: duckdb.DuckDBPyConnection) -> str:
    """What every feed delivered and what was rejected; nothing where no file came in."""
    feeds = quality.feed_summaries(connection)
    if not feeds:
        return ""
    rows = [
        (
            m.text(feed.feed),
            m.count(feed.files),
            m.count(feed.quarantined_files),
            m.count(feed.loaded),
            m.count(feed.rejected),
            m.count(feed.duplicate),
            f"{feed.last_arrived_at.astimezone(UTC):%Y-%m-%d %H:%M}",
        )
        for feed in feeds
    ]
    heads = ("Feed", "Files", "Held back", "Loaded", "Rejected", "Repeated", "Last file, UTC")
    records = m.table("Records by feed", heads, rows, stacked=True)
    body = f"<details><summary>All {len(feeds)} feeds</summary>{records}</details>"
    if rejects := quality.rejects(connection):
        reasons = [
            (
                m.text(r.feed),
                m.text(r.record),
                m.text(r.error_code.replace("_", " ")),
                m.count(r.count),
            )
            for r in rejects
        ]
        heads = ("Feed", "Record", "Reason", "Rejected")
        body += "<h3>Why records were rejected</h3>"
        body += m.table("Rejected records by reason", heads, reasons, left=(0, 1, 2))
    return m.section(
        "What came in",
        _delivered(feeds),
        body,
        wide=True,
    )


def _delivered(feeds: Sequence[quality.FeedSummary]) -> str:
    """All feeds together in a sentence."""
    loaded, rejected, repeated = (
        sum(numbers)
        for numbers in zip(*((f.loaded, f.rejected, f.duplicate) for f in feeds), strict=True)
    )
    last = max(feed.last_arrived_at for feed in feeds).astimezone(UTC)
    held_back = sum(feed.quarantined_files for feed in feeds)
    return (
        f"{m.count(sum(feed.files for feed in feeds))} files so far, the last on {last.day} "
        f"{last:%B %Y, %H:%M} UTC: {m.count(loaded)} records loaded, {m.count(rejected)} "
        f"rejected with a reason, {m.count(repeated)} repeats left out; "
        f"{m.count(held_back)} files held back."
    )


def changes_section(changes: Sequence[quality.Change]) -> str:
    """Headline differences to the version before; nothing for the first version."""
    if not changes:
        return ""
    rows = [
        (
            f"{m.text(METRICS.get(change.metric, change.metric))}"
            f"<br><small>{m.text(change.banner)}</small>",
            m.compact(change.total, 2),
            m.compact(change.difference, 2),
            m.compact(change.by_new_data, 2),
            m.compact(change.by_late_data, 2),
            m.compact(change.by_identity, 2),
            m.compact(change.by_code, 2),
        )
        for change in changes
    ]
    heads = (
        "Figure",
        "Total now",
        "Difference",
        "New days",
        "Late data",
        "Merges and splits",
        "Changed models",
    )
    return m.section(
        "Why did a number change?",
        "Totals over all days against the version before: days that are new, earlier days that "
        "late data changed, customers who turned out to be one or two, and changed models.",
        m.table("Differences to the version before", heads, rows, stacked=True),
        wide=True,
    )
