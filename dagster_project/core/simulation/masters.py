"""Master data as files: shops, articles, promotions, exchange rates, stock counts.

Belongs here: the sender's columns for what changes seldom. Does not: drawing any of it
(``plan``, ``catalogue``, ``demand``), except the rates.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from dagster_project.core.simulation.catalogue import Catalogue
from dagster_project.core.simulation.columns import (
    Columns,
    decimal,
    flag,
    local_times,
    picked,
    text,
    whole,
)
from dagster_project.core.simulation.demand import Market, Sales
from dagster_project.core.simulation.plan import (
    COUNTRIES,
    Country,
    Plan,
    Stream,
    Week,
    midnights,
)
from dagster_project.core.simulation.words_goods import BRANDS, DEPARTMENTS, SIZES

HEAD_OFFICE = "Asia/Shanghai"
LEAD_DAYS = 400  # shops and articles exist so long before the run begins
RATE_DIGITS = 8
RATE_LEAD_DAYS = 10
RATE_TAIL_DAYS = 31  # refunds and charge-backs of the last sales are settled in the month after
SUNDAY = 6


def store_columns(plan: Plan) -> Columns:
    """``lantern_stores``: one row per shop, web shop or app."""
    opened = (plan.start - timedelta(days=LEAD_DAYS)).isoformat()
    sites = plan.sites
    return {
        "shop": text([site.code for site in sites]),
        "valid_from": text([f"{opened} 00:00:00"] * len(sites)),
        "name": text([site.name for site in sites]),
        "type": text([site.kind for site in sites]),
        "format": text([site.format for site in sites]),
        "region": text([site.region for site in sites]),
        "town": text([site.city or None for site in sites]),
        "land": text([site.country.code for site in sites]),
        "zone": text([site.country.time_zone for site in sites]),
        "curr": text([site.country.currency for site in sites]),
        "day_ends": whole(np.array([site.cut_off_hour for site in sites])),
        "opened": text([opened] * len(sites)),
        "closed": text([None] * len(sites)),
    }


def article_versions(catalogue: Catalogue) -> tuple[np.ndarray, np.ndarray]:
    """Article and first day of every version: a new price or brand; -LEAD_DAYS for the first."""
    price = catalogue.price
    changed = np.zeros(price.shape, dtype=bool)
    changed[:, 1:] = price[:, 1:] != price[:, :-1]
    rebranded = np.flatnonzero(catalogue.brand_change_day >= 0)
    changed[rebranded, catalogue.brand_change_day[rebranded]] = True
    changed[:, 0] = False
    article, day = np.nonzero(changed)
    count = len(catalogue.goods)
    return (
        np.concatenate([np.arange(count), article]),
        np.concatenate([np.full(count, -LEAD_DAYS), day]),
    )


def article_columns(plan: Plan, catalogue: Catalogue) -> Columns:
    """``lantern_products``: one row per article and version, in the order they became true."""
    country = catalogue.country
    article, day = article_versions(catalogue)
    order = np.lexsort((article, day))
    article, day = article[order], day[order]
    new = (catalogue.brand_change_day[article] >= 0) & (day >= catalogue.brand_change_day[article])
    brand = np.where(new, catalogue.new_brands[article], catalogue.brands[article])
    goods = [catalogue.goods[a] for a in article]
    language = {"zh": 1, "fa": 2, "en": 0}[country.language]
    departments = [DEPARTMENTS[d] for d in catalogue.departments[article]]
    sizes = catalogue.sizes[article]
    return {
        "article": picked(article, catalogue.codes),
        "valid_from": local_times(_day_starts(plan, country, day), HEAD_OFFICE, with_offset=False),
        "ean": text([_ean(int(a)) for a in article]),
        "name_en": text(
            [
                f"{BRANDS[b][0]} {good[0]} {SIZES[size]}"
                for good, b, size in zip(goods, brand, sizes, strict=True)
            ]
        ),
        "name_local": text(
            [f"{BRANDS[b][language]} {g[language]}" for g, b in zip(goods, brand, strict=True)]
        ),
        "dept": text([department.name for department in departments]),
        "cat": text([catalogue.categories[a] for a in article]),
        "subcat": text([good[0] for good in goods]),
        "brand": text([BRANDS[b][0] for b in brand]),
        "uom": text([good[4] for good in goods]),
        "pack": text([SIZES[s] for s in sizes]),
        "vat_class": text(["food" if d.is_food else "standard" for d in departments]),
        "price": decimal(catalogue.price[article, np.maximum(day, 0)], country.minor_digits),
        "cost": decimal(catalogue.cost[article], country.minor_digits),
        "curr": text([country.currency] * article.size),
        "fresh": flag(np.array([d.is_perishable for d in departments]), "Y", "N"),
    }


def price_columns(plan: Plan, catalogue: Catalogue) -> Columns:
    """``lantern_prices``: one row per article and list price, for the country as one zone."""
    country = catalogue.country
    price = catalogue.price
    changed = np.concatenate([np.ones((price.shape[0], 1), dtype=bool),
                              price[:, 1:] != price[:, :-1]], axis=1)  # fmt: skip
    day, article = np.nonzero(changed.T)
    since = np.where(day == 0, -LEAD_DAYS, day)
    return {
        "article": picked(article, catalogue.codes),
        "zone": text([country.code] * article.size),
        "from_time": local_times(_day_starts(plan, country, since), HEAD_OFFICE, with_offset=False),
        "price": decimal(price[article, day], country.minor_digits),
        "curr": text([country.currency] * article.size),
        "uom": text([catalogue.goods[a][4] for a in article.tolist()]),
    }


def _ean(article: int) -> str:
    """A thirteen-digit number of the range for use within a company, with its check digit."""
    body = f"2{article + 10001:011d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return f"{body}{-total % 10}"


def _day_starts(plan: Plan, country: Country, day: np.ndarray) -> np.ndarray:
    """When a day begins in the country, in seconds since 1970."""
    starts = midnights(plan, country.time_zone)
    return starts[np.maximum(day, 0)] + np.minimum(day, 0) * 86400


def promotion_columns(plan: Plan, catalogues: list[Catalogue], first: date, last: date) -> Columns:
    """``lantern_promotions``: those that begin between two dates, both included."""
    found = sorted(
        (plan.day(p.first_day), p.code, p)
        for catalogue in catalogues
        for p in catalogue.promotions
        if first <= plan.day(p.first_day) <= last
    )
    promotions = [promotion for _, _, promotion in found]
    return {
        "action_code": text([p.code for p in promotions]),
        "title": text([p.title for p in promotions]),
        "kind": text([p.mechanic for p in promotions]),
        "pct_off": text([str(round(p.discount * 100)) for p in promotions]),
        "paid_by": text([p.funding for p in promotions]),
        "first_day": text([plan.day(p.first_day).isoformat() for p in promotions]),
        "last_day": text([plan.day(p.last_day).isoformat() for p in promotions]),
        "changed": text([f"{plan.day(p.first_day - 20)} 09:00:00" for p in promotions]),
    }


def promotion_article_columns(
    plan: Plan, catalogues: list[Catalogue], first: date, last: date
) -> Columns:
    """``lantern_promotion_products``: one row per promotion and article it covers."""
    found = sorted(
        (p.code, catalogue.codes[article])
        for catalogue in catalogues
        for p in catalogue.promotions
        if first <= plan.day(p.first_day) <= last
        for article in p.articles
    )
    return {
        "action_code": text([code for code, _ in found]),
        "article": text([article for _, article in found]),
    }


def stock_columns(plan: Plan, market: Market, week: Week, sales: Sales) -> Columns:
    """``lantern_stock``: every article on Sundays, on other days those that sold out."""
    sunday = plan.weekday[list(week.days)] == SUNDAY
    counted = (sales.left == 0) | sunday[None, None, :]
    day, site, article = np.nonzero(counted.transpose(2, 0, 1))
    left = sales.left[site, article, day]
    # Weighed goods are counted in kilograms, at the usual weight of one sale.
    milli = np.where(market.catalogue.is_weighed[article], left * 800, left * 1000)
    dates = [plan.day(d).isoformat() for d in week.days]
    return {
        "shop": picked(site, [s.code for s in market.sites]),
        "article": picked(article, market.catalogue.codes),
        "day": picked(day, dates),
        "on_hand": decimal(milli, 3),
        "sold_out": flag(left == 0, "Y", "N"),
    }


def make_rates(plan: Plan) -> np.ndarray:
    """Units of US dollar for one unit of each currency, in 10^-8, by country and day.

    Days start ``RATE_LEAD_DAYS`` before the run and end ``RATE_TAIL_DAYS`` after it.
    """
    days = plan.days + RATE_LEAD_DAYS + RATE_TAIL_DAYS
    rates = np.empty((len(COUNTRIES), days), dtype=np.int64)
    for country in COUNTRIES:
        steps = plan.generator(Stream.RATES, country.number).normal(0, 0.0025, days)
        # Pulled back to the first rate, so that long runs stay plausible.
        level, path = 0.0, np.empty(days)
        for day, step in enumerate(steps):
            level = level * 0.98 + step
            path[day] = level
        rates[country.number] = np.round(np.exp(path) / country.per_dollar * 10**RATE_DIGITS)
    return rates


def rate_columns(plan: Plan, rates: np.ndarray, month: str) -> Columns:
    """``lantern_rates``: one row per currency and day of a month ``2017-01``."""
    dates = [plan.day(n - RATE_LEAD_DAYS) for n in range(rates.shape[1])]
    rows = [
        (day.isoformat(), country.currency, rates[country.number, n])
        for n, day in enumerate(dates)
        if f"{day:%Y-%m}" == month
        for country in COUNTRIES
    ]
    return {
        "from_curr": text([row[1] for row in rows]),
        "to_curr": text(["USD"] * len(rows)),
        "day": text([row[0] for row in rows]),
        "rate": decimal(np.array([row[2] for row in rows], dtype=np.int64), RATE_DIGITS),
    }


def months(plan: Plan, lead_days: int = 0, tail_days: int = 0) -> list[str]:
    """Every month of the run as ``2017-01``, and of so many days before and after it."""
    return sorted({f"{plan.day(n):%Y-%m}" for n in range(-lead_days, plan.days + tail_days)})


def quarters(plan: Plan) -> list[tuple[str, date, date]]:
    """Every quarter of the run: ``2017Q1``, its first and last day."""
    found: dict[str, list[date]] = {}
    for day in plan.dates:
        found.setdefault(f"{day.year}Q{(day.month + 2) // 3}", []).append(day)
    return [(label, days[0], days[-1]) for label, days in found.items()]
