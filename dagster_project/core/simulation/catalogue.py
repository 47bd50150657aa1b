"""The range of one country: articles, their price versions, promotions, true elasticities.

Belongs here: everything about an article that demand depends on, drawn once for the whole run.
Does not: how many are sold (``demand``) or the files that say so (``masters``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dagster_project.core.simulation.plan import Country, Plan, Stream
from dagster_project.core.simulation.words_goods import (
    BRANDS,
    DEPARTMENTS,
    SIZES,
    Department,
    Good,
)

ARTICLES = 134  # of each country: 402 articles in three countries
SLOT_DAYS = 14  # promotions run for a fortnight, in slots that do not overlap
SLOT_PROMOTIONS = 4
# Mechanic, share of promotions, whether a price cut comes with it, and who may pay.
MECHANICS = (
    ("percent", 0.66, True),
    ("amount_off", 0.14, True),
    ("points", 0.10, False),
    ("lucky_draw", 0.10, False),
)
DISCOUNTS = (0.10, 0.15, 0.20, 0.25, 0.30, 0.40)
FUNDING = ("own", "supplier", "shared")
PRICE_CHANGES_YEAR = 3.0


@dataclass(frozen=True)
class Promotion:
    """One promotion as it is and as it works."""

    code: str
    title: str
    mechanic: str
    discount: float  # share off the list price, 0 for those that cut no price
    funding: str
    first_day: int
    last_day: int
    articles: tuple[int, ...]
    uplift: float  # factor on demand beyond what the lower price does


@dataclass(frozen=True)
class Catalogue:
    """Articles of one country, all arrays by article unless said otherwise."""

    country: Country
    goods: tuple[Good, ...]
    departments: np.ndarray  # place in DEPARTMENTS
    categories: tuple[str, ...]
    brands: np.ndarray  # place in BRANDS before a change of brand
    brand_change_day: np.ndarray  # -1 where the brand stays
    new_brands: np.ndarray
    sizes: np.ndarray
    base_price: np.ndarray  # minor units, at the start
    elasticity: np.ndarray  # of demand by price, negative
    popularity: np.ndarray  # share of the units at the base price; sums to 1
    price: np.ndarray  # list price by article and day, minor units
    promotions: tuple[Promotion, ...]

    @cached_property
    def codes(self) -> list[str]:
        """Article codes: the country and a number that is the same good in all countries."""
        return [f"{self.country.code}{10001 + n}" for n in range(len(self.goods))]

    @property
    def names(self) -> list[str]:
        """English names."""
        return [
            f"{BRANDS[b][0]} {good[0]} {SIZES[s]}"
            for good, b, s in zip(self.goods, self.brands, self.sizes, strict=True)
        ]

    @cached_property
    def is_weighed(self) -> np.ndarray:
        """Sold by the kilogram."""
        return np.array([good[4] == "kg" for good in self.goods])

    @cached_property
    def tax_rate(self) -> np.ndarray:
        """Tax on the net amount in parts of ten thousand."""
        rates = [
            self.country.food_tax if DEPARTMENTS[d].is_food else self.country.tax
            for d in self.departments
        ]
        return np.round(np.array(rates) * 10_000).astype(np.int64)

    @cached_property
    def cost(self) -> np.ndarray:
        """Cost of one unit in minor units: 55 to 75 % of the first list price."""
        share = 0.55 + 0.2 * ((np.arange(len(self.goods)) * 37 % 21) / 20)
        return np.maximum(1, np.round(self.base_price * share)).astype(np.int64)

    @cached_property
    def on_offer(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """By article and day: promotion (-1 none), share off in per cent, uplift."""
        shape = self.price.shape
        number = np.full(shape, -1, dtype=np.int64)
        percent = np.zeros(shape, dtype=np.int64)
        uplift = np.ones(shape)
        for n, promotion in enumerate(self.promotions):
            days = slice(max(promotion.first_day, 0), promotion.last_day + 1)
            where = (list(promotion.articles), days)
            number[where] = n
            percent[where] = round(promotion.discount * 100)
            uplift[where] = promotion.uplift
        return number, percent, uplift


def make_catalogue(plan: Plan, country: Country) -> Catalogue:
    """Draw a country's range; goods, brands and elasticities are the same in all countries."""
    shared = plan.generator(Stream.CATALOGUE)
    goods, departments, categories, variants = _lay_out()
    count = len(goods)
    brands = (np.arange(count) * 3 + variants * 2 + shared.integers(0, 2, count)) % len(BRANDS)
    elasticity = -np.clip(shared.gamma(6.0, 0.27, count), 0.35, 3.2)
    dollars = np.array([good[3] for good in goods]) * (1 + 0.45 * variants)
    own = plan.generator(Stream.PRICES, country.number)
    step = country.price_step
    base = dollars * country.per_dollar * country.minor * own.uniform(0.85, 1.15, count)
    base_price = (np.maximum(1, np.round(base / step)) * step).astype(np.int64)
    # Dear articles sell less: without product effects a regression sees too flat a demand curve.
    weight = own.lognormal(0, 0.8, count) * dollars**-0.7
    changed = own.random(count) < 0.05
    return Catalogue(
        country=country, goods=goods, departments=departments, categories=categories,
        brands=brands, new_brands=(brands + 1) % len(BRANDS), sizes=variants,
        brand_change_day=np.where(changed, own.integers(1, max(2, plan.days), count), -1),
        base_price=base_price, elasticity=elasticity, popularity=weight / weight.sum(),
        price=_price_path(own, plan.days, base_price, step),
        promotions=_promotions(plan, country, categories),
    )  # fmt: skip


def _lay_out() -> tuple[tuple[Good, ...], np.ndarray, tuple[str, ...], np.ndarray]:
    """The goods in variants until the range is full: good, department, category, variant."""
    rows = [
        (good, number, category)
        for number, department in enumerate(DEPARTMENTS)
        for category, goods in department.categories.items()
        for good in goods
    ]
    filled = [(*rows[n % len(rows)], n // len(rows)) for n in range(ARTICLES)]
    filled.sort(key=lambda row: (row[1], row[2], row[0][0], row[3]))
    return (
        tuple(row[0] for row in filled),
        np.array([row[1] for row in filled]),
        tuple(row[2] for row in filled),
        np.array([row[3] for row in filled]),
    )


def _price_path(rng: np.random.Generator, days: int, base: np.ndarray, step: int) -> np.ndarray:
    """List price by article and day: a few changes a year of 5 to 20 %, back towards the base."""
    path = np.repeat(base[:, None], days, axis=1)
    changes = rng.poisson(PRICE_CHANGES_YEAR * days / 365, base.size)
    for article, count in enumerate(changes):
        high = False
        for day in np.sort(rng.integers(1, days, count)):
            now = path[article, day]
            share = rng.uniform(0.06, 0.20)
            high = not high if rng.random() < 0.7 else high
            aim = base[article] * (1 + share if high else 1 - share * 0.8)
            new = max(step, round(aim / step) * step)
            path[article, day:] = new if new != now else now + step
    return path.astype(np.int64)


def _promotions(plan: Plan, country: Country, categories: tuple[str, ...]) -> tuple[Promotion, ...]:
    rng = plan.generator(Stream.PROMOTIONS, country.number)
    kinds = sorted(set(categories))
    found: list[Promotion] = []
    for slot, first in enumerate(range(0, plan.days, SLOT_DAYS)):
        for category in rng.choice(len(kinds), SLOT_PROMOTIONS, replace=False):
            articles = [n for n, name in enumerate(categories) if name == kinds[category]]
            # Half of the category, at least two articles: the other half shows what would be.
            chosen = rng.permutation(articles)[: max(2, (len(articles) + 1) // 2)]
            mechanic = MECHANICS[rng.choice(len(MECHANICS), p=[m[1] for m in MECHANICS])]
            discount = float(rng.choice(DISCOUNTS)) if mechanic[2] else 0.0
            number = len(found) + 1
            found.append(
                Promotion(
                    code=f"{country.code}-{plan.day(first).year}-{number:03d}",
                    title=f"{kinds[category]} fortnight {slot + 1}",
                    mechanic=mechanic[0], discount=discount,
                    funding=FUNDING[int(rng.integers(len(FUNDING)))],
                    first_day=first + int(rng.integers(0, 3)),
                    last_day=first + SLOT_DAYS - 1 - int(rng.integers(0, 4)),
                    articles=tuple(sorted(int(a) for a in chosen)),
                    uplift=round(float(rng.uniform(1.05, 1.6)), 2),
                )
            )  # fmt: skip
    return tuple(found)


def season(department: Department, days_of_year: np.ndarray) -> np.ndarray:
    """Factor on a department's demand over the year."""
    share, top = department.season
    return 1 + share * np.cos(2 * np.pi * (days_of_year - top) / 365.25)
