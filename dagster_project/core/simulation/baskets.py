"""From units sold to lines in baskets: who takes what home together, at what price.

Belongs here: what tills and web shops share. Does not: receipts, orders, payments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.core.simulation.catalogue import Catalogue
from dagster_project.core.simulation.people import People
from dagster_project.core.simulation.words_goods import COMPANIONS

SAME_LINE_SHARE = 0.22  # of further units of an article that are scanned on the line before
GRAM_SPREAD = 0.45
MEAN_GRAMS = 800
LEAST_GRAMS = 50


@dataclass(frozen=True)
class Baskets:
    """Lines grouped into baskets; baskets are numbered from 0 and ordered by site and day."""

    site: np.ndarray  # by basket: place among the country's sites
    day: np.ndarray  # by basket: day since the start
    basket: np.ndarray  # by line, ascending
    article: np.ndarray  # by line
    milli: np.ndarray  # by line: quantity in thousandths


@dataclass(frozen=True)
class Amounts:
    """Minor units by line; positive for sales."""

    price: np.ndarray  # of one unit
    list_amount: np.ndarray
    discount: np.ndarray
    tax: np.ndarray
    cost: np.ndarray
    promotion: np.ndarray  # place in the catalogue's promotions, -1 for none

    @property
    def gross(self) -> np.ndarray:
        """What the customer owes for the line."""
        return self.list_amount - self.discount + self.tax


def halves_up(numerator: np.ndarray, denominator: int) -> np.ndarray:
    """Quotient rounded to the nearest whole number, halves up; for values of 0 and more."""
    return (2 * numerator + denominator) // (2 * denominator)


def fill_baskets(
    rng: np.random.Generator, catalogue: Catalogue, sold: np.ndarray, *, days: tuple[int, ...],
    lines_per_basket: float,
) -> Baskets:  # fmt: skip
    """Spread the units sold (site × article × day) over baskets of one site and day."""
    by_day = sold.transpose(0, 2, 1)  # site, day, article
    cells = np.repeat(np.arange(by_day.size), by_day.ravel())
    articles = sold.shape[1]
    article = cells % articles
    follows = np.concatenate([[False], cells[1:] == cells[:-1]]) if cells.size else cells > 0
    follows &= (rng.random(cells.size) < SAME_LINE_SHARE) & ~catalogue.is_weighed[article]
    starts = np.flatnonzero(~follows)
    units = np.diff(np.append(starts, cells.size))
    article, group = article[starts], cells[starts] // articles  # group = site × day
    spread = rng.lognormal(-(GRAM_SPREAD**2) / 2, GRAM_SPREAD, starts.size)
    grams = np.maximum(LEAST_GRAMS, MEAN_GRAMS * spread)
    milli = np.where(catalogue.is_weighed[article], grams.astype(np.int64), units * 1000)
    taker = _take(rng, group, by_day.shape[0] * by_day.shape[1], lines_per_basket)
    taker = _together(rng, catalogue, article, group, taker)
    order = np.lexsort((rng.random(taker.size), taker))
    present, basket = np.unique(taker[order], return_inverse=True)
    first = np.searchsorted(taker[order], present)
    where = group[order][first]
    return Baskets(
        site=where // len(days), day=np.array(days, dtype=np.int64)[where % len(days)],
        basket=basket, article=article[order], milli=milli[order],
    )  # fmt: skip


def _take(
    rng: np.random.Generator, group: np.ndarray, groups: int, lines_per_basket: float
) -> np.ndarray:
    """A basket of its own site and day for each line; some people buy more than others."""
    lines = np.bincount(group, minlength=groups)
    baskets = np.where(lines > 0, np.maximum(1, np.round(lines / lines_per_basket)), 0)
    edges = np.concatenate([[0], np.cumsum(baskets.astype(np.int64))])
    appetite = np.cumsum(rng.gamma(1.5, 1.0, edges[-1]))
    bounds = np.concatenate([[0.0], appetite])[edges]
    aim = bounds[group] + rng.random(group.size) * (bounds[group + 1] - bounds[group])
    found = np.searchsorted(appetite, aim, side="right")
    return np.clip(found, edges[group], edges[group + 1] - 1)


def _together(
    rng: np.random.Generator, catalogue: Catalogue, article: np.ndarray, group: np.ndarray,
    taker: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Put some lines of a good into a basket that holds its companion."""
    names = np.array([good[0] for good in catalogue.goods])
    taker = taker.copy()
    for leader, follower, share in COMPANIONS:
        leads = np.flatnonzero(names[article] == leader)
        leads = leads[np.argsort(group[leads], kind="stable")]
        follows = np.flatnonzero(names[article] == follower)
        follows = follows[rng.random(follows.size) < share]
        low = np.searchsorted(group[leads], group[follows], side="left")
        high = np.searchsorted(group[leads], group[follows], side="right")
        follows, low, high = (a[high > low] for a in (follows, low, high))
        taker[follows] = taker[leads[rng.integers(low, high)]] if follows.size else taker[follows]
    return taker


def price_lines(
    catalogue: Catalogue, article: np.ndarray, day: np.ndarray, milli: np.ndarray
) -> Amounts:
    """Price lines at the day's list price, less the day's promotion, tax added."""
    number, percent, _ = catalogue.on_offer
    price = catalogue.price[article, day]
    listed = halves_up(price * milli, 1000)
    discount = halves_up(listed * percent[article, day], 100)
    return Amounts(
        price=price, list_amount=listed, discount=discount,
        tax=halves_up((listed - discount) * catalogue.tax_rate[article], 10_000),
        cost=halves_up(catalogue.cost[article] * milli, 1000),
        # A promotion that cuts no price leaves no trace on the line.
        promotion=np.where(percent[article, day] > 0, number[article, day], -1),
    )  # fmt: skip


def draw_shoppers(
    rng: np.random.Generator, people: People, *, group: np.ndarray, of_person: np.ndarray,
    weight: np.ndarray, day: np.ndarray, known_share: float,
) -> np.ndarray:  # fmt: skip
    """A person for each basket, or -1 for a stranger.

    ``group`` is each basket's pool, ``of_person`` each person's; a person is drawn by weight, and
    only while they are customers.
    """
    order = np.argsort(of_person, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(weight[order])])
    low = total[np.searchsorted(of_person[order], group, side="left")]
    high = total[np.searchsorted(of_person[order], group, side="right")]
    aim = low + rng.random(group.size) * (high - low)
    place = np.clip(np.searchsorted(total, aim, side="right") - 1, 0, order.size - 1)
    person = order[place]
    here = (people.from_day[person] <= day) & (day < people.churn_day[person]) & (high > low)
    return np.where(here & (rng.random(group.size) < known_share), person, -1)


def day_seconds(
    rng: np.random.Generator, opens: np.ndarray, closes: np.ndarray, evening_share: float
) -> np.ndarray:
    """Seconds after local midnight: one peak about half past twelve, one about half past six."""
    evening = rng.random(opens.size) < evening_share
    centre = np.where(evening, 18.5, 12.5) * 3600
    spread = np.where(evening, 1.6, 2.4) * 3600
    seconds = centre + spread * rng.standard_normal(opens.size)
    # What falls outside the opening hours is spread over them.
    inside = (seconds >= opens + 300) & (seconds < closes - 300)
    other = opens + 300 + rng.random(opens.size) * (closes - opens - 600)
    return np.where(inside, seconds, other).astype(np.int64)
