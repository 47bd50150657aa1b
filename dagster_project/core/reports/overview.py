"""The first page: how the group sells, what is expected, and whether the figures can be trusted.

Belongs here: the page's order and words. Does not: queries (``figures``, ``quality``), drawing
(``charts``), markup and look. The page is one file that asks for nothing from anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from dagster_project.core.home import Home, Settings
from dagster_project.core.publishing import Publication
from dagster_project.core.reports import charts, figures, forecast_figures, quality, trust
from dagster_project.core.reports import markup as m
from dagster_project.core.reports.style import CSS

AUDIENCE = "analyst"
FILE = "overview.html"


def write_overview(home: Home, settings: Settings) -> Path:
    """Write ``reports/overview.html`` from the published file and return its path.

    The file is replaced whole. Raises PublicationError when nothing is published or it holds no
    sales.
    """
    with figures.open_figures(home, AUDIENCE) as (connection, publication):
        page = _page(connection, publication, settings)
    target = home.reports / FILE
    building = home.reports / f".{FILE}.building"
    building.write_text(page, "utf-8")
    os.replace(building, target)
    return target


def _page(
    connection: duckdb.DuckDBPyConnection, publication: Publication, settings: Settings
) -> str:
    last = figures.last_complete_day(connection, publication)
    period = figures.Period(last)
    currency = settings.reporting_currency
    headlines = figures.headlines(connection, period)
    left = [
        _channels(figures.channel_mix(connection, period)),
        _hours(figures.busy_hours(connection, last)),
        _tiers(figures.value_tiers(connection), currency),
    ]
    parts = [
        _tiles(headlines, currency),
        _sales(connection, last, currency),
        _banners(headlines, figures.local_sales(connection, period), currency),
        f'<div class="column">{"".join(left)}</div>',
        _products(figures.top_products(connection, period), currency),
        trust.accuracy_section(forecast_figures.forecast_accuracy(connection)),
        trust.quality_section(connection, publication),
        trust.store_days_section(connection),
        trust.feeds_section(connection),
        trust.changes_section(quality.changes(connection, publication.version)),
    ]
    title = f"{settings.group_name}: sales overview"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{m.text(title)}</title><style>{CSS}</style></head><body>"
        f"{_header(publication, period, settings)}<main>{''.join(parts)}</main>"
        f"{_footer(connection, publication)}</body></html>\n"
    )


def _day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B %Y}"


def _header(publication: Publication, period: figures.Period, settings: Settings) -> str:
    published = publication.published_at.astimezone(UTC)
    return (
        f"<header><h1>{m.text(settings.group_name)}</h1>"
        f"<p>Sales up to <b>{_day(period.last)}</b> · version {publication.version}, published "
        f"{published.day} {published:%B %Y, %H:%M} UTC, {_age(published)} before this page · "
        f"amounts in {m.text(settings.reporting_currency)}</p></header>"
    )


def _age(published: datetime) -> str:
    """Time since publication, in its largest unit."""
    seconds = int((datetime.now(UTC) - published).total_seconds())
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if (number := seconds // size) >= 1:
            return f"{number} {unit}{'s' if number > 1 else ''}"
    return "less than a minute"


def _tiles(headlines: Sequence[figures.Headline], currency: str) -> str:
    if not headlines:
        return ""
    total = headlines[0]
    basket = _ratio(total.net_sales, total.baskets)
    basket_before = _ratio(total.net_sales_before, total.baskets_before)
    since = "on the 28 days before"
    tiles = [
        m.tile(
            "Net sales, last 28 days",
            m.money(total.net_sales, currency),
            f"{m.change(total.net_sales, total.net_sales_before)} {since}",
        ),
        m.tile(
            "Receipts",
            m.compact(total.receipts),
            f"{m.change(total.receipts, total.receipts_before)} {since}",
        ),
        m.tile(
            "Average basket",
            m.money(basket, currency, 2),
            f"{m.change(basket, basket_before)} {since}",
        ),
        m.tile(
            "Active customers",
            m.compact(total.customers),
            f"{m.change(total.customers, total.customers_before)} {since}",
        ),
    ]
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _ratio(amount: float, number: float) -> float:
    return amount / number if number else 0.0


def _sales(connection: duckdb.DuckDBPyConnection, last: date, currency: str) -> str:
    sold = figures.sales_by_day(connection, last)
    model, fan = forecast_figures.forecast_fan(connection)
    if not sold:
        return m.section("Net sales by day", "No sales in the last half year.", wide=True)
    key = '<ul class="legend key"><li><i class="line" style="background:var(--sold)"></i>sold</li>'
    lead = f"{currency} a day, all banners together."
    if fan:
        ahead = sum(day.mean for day in fan)
        lead += (
            f" Expected for the next {len(fan)} days: {currency} {m.compact(ahead)} "
            f"({trust.MODELS.get(model, model)})."
        )
        for name, opacity in (("expected", 1), ("8 in 10 days", 0.42), ("95 in 100 days", 0.16)):
            key += f'<li><i style="background:var(--expected);opacity:{opacity}"></i>{name}</li>'
    else:
        lead += " There is no forecast yet."
    return m.section(
        "Net sales by day", lead, charts.sales_chart(sold, fan, currency), f"{key}</ul>", wide=True
    )


def _banners(
    headlines: Sequence[figures.Headline], local: Sequence[figures.LocalSales], currency: str
) -> str:
    banners = [one for one in headlines if one.banner is not None]
    largest = max((one.net_sales for one in banners), default=0)
    rows = []
    for one in banners:
        name = f"<b>{m.text(one.banner)}</b>"
        length = m.bar(one.net_sales, largest, f"{one.banner} {currency} {one.net_sales:,.0f}")
        own = [entry for entry in local if entry.banner == one.banner]
        paid = "<br>".join(m.money(entry.net_sales, entry.currency_code) for entry in own)
        baskets = "<br>".join(
            m.money(_ratio(entry.net_sales, entry.baskets), entry.currency_code, 2) for entry in own
        )
        rows.append(
            (
                name + length,
                f"{m.money(one.net_sales, currency)}<br>"
                f"<small>{m.change(one.net_sales, one.net_sales_before)}</small>",
                paid,
                baskets,
                m.count(one.receipts),
                m.count(one.customers),
            )
        )
    heads = ("Banner", "Net sales", "As paid", "Average basket", "Receipts", "Customers")
    return m.section(
        "Banners",
        "Last 28 days, in the reporting currency and as customers paid.",
        m.table("Net sales by banner", heads, rows, stacked=True),
        wide=True,
    )


def _channels(mix: dict[str, list[tuple[str, float]]]) -> str:
    body = "".join(f"<h3>{m.text(name)}</h3>{m.stack(parts)}" for name, parts in mix.items())
    return m.section("Channels", "Share of net sales, last 28 days.", body)


def _hours(hours: Sequence[tuple[int, int, float]]) -> str:
    if not hours:
        return m.section("Busy hours", "No sales with a time of day in the last twelve weeks.")
    lead = (
        f"Receipts in an average week of the last twelve, local time: {charts.busiest_hour(hours)}."
    )
    return m.section("Busy hours", lead, charts.hours_chart(hours))


def _tiers(tiers: Sequence[figures.Tier], currency: str) -> str:
    if not tiers:
        return m.section("Customers by value", "No known customer has bought yet.")
    money, people = {}, {}
    for tier in tiers:
        money[tier.banner] = money.get(tier.banner, 0.0) + tier.net_sales
        people[tier.banner] = people.get(tier.banner, 0) + tier.customers
    rows = [
        (
            f"{m.text(tier.banner)}<br><small>{m.text(tier.tier)}</small>",
            f"{m.count(tier.customers)}<br>"
            f"<small>{m.share(_ratio(tier.customers, people[tier.banner]))}</small>",
            m.money(_ratio(tier.net_sales, tier.customers), currency),
            m.share(_ratio(tier.net_sales, money[tier.banner]))
            + m.bar(tier.net_sales, money[tier.banner], "share of net sales"),
        )
        for tier in tiers
    ]
    heads = ("Banner and tier", "Customers", "Net sales each", "Share of net sales")
    return m.section(
        "Customers by value",
        "Known customers by value tier within their banner, over all their purchases.",
        m.table("Customers by value tier", heads, rows, stacked=True),
    )


def _products(products: Sequence[figures.Product], currency: str) -> str:
    largest = max((product.net_sales for product in products), default=0)
    rows = [
        (
            f"{m.text(product.name)}<br><small>{m.text(product.department)}</small>"
            + m.bar(product.net_sales, largest, f"{currency} {product.net_sales:,.0f}"),
            m.compact(product.units),
            m.money(product.net_sales, currency),
        )
        for product in products
    ]
    return m.section(
        "Best sellers",
        "Products with the highest net sales, last 28 days.",
        m.table("Best-selling products", ("Product", "Units", "Net sales"), rows),
    )


def _footer(connection: duckdb.DuckDBPyConnection, publication: Publication) -> str:
    terms = "".join(
        f"<dt>{m.text(name)}</dt><dd>{m.text(description)}</dd>"
        for name, description in connection.execute(
            "select metric, description from metrics.definition where metric not like '%_reporting'"
        ).fetchall()
    )
    source = f"<code>published/{m.text(publication.path.name)}</code>"
    return (
        f"<footer><p>Every figure comes from {source}, which any BI tool can open.</p>"
        f"<details><summary>What the figures mean</summary><dl>{terms}</dl></details></footer>"
    )
