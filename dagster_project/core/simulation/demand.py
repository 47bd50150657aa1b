"""How many are wanted and how many the shelf has: demand, stock, sales of one country's week.

Belongs here: the true process from price, promotion, weekday, season and feast to units sold.
Does not: who buys them, and on which receipt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.core.simulation.catalogue import Catalogue, season
from dagster_project.core.simulation.feasts import CHANNELS, feast_factors
from dagster_project.core.simulation.plan import (
    LINES_PER_CUSTOMER_DAY,
    Country,
    Plan,
    Site,
    Stream,
    Week,
)
from dagster_project.core.simulation.words_goods import DEPARTMENTS

UNITS_PER_LINE = 1.12
ONLINE_SHARE = 0.09  # of the units sold in shops
TREND_YEAR = 0.06
# A shelf is filled every night to so many days of usual sales and two standard deviations …
COVER_DAYS = 1.8
# … unless the supplier fails: chance a week for one article in one shop, and for how long.
FAILURE_WEEK = 0.022
FAILURE_DAYS = (5, 13)


@dataclass(frozen=True)
class Sales:
    """Units of one week by site (of the country, in order), article and day of the week."""

    wanted: np.ndarray
    sold: np.ndarray
    left: np.ndarray  # on the shelf at close


class Market:
    """The demand of one country; weeks are taken in order, for the shelves remember."""

    def __init__(self, plan: Plan, country: Country, catalogue: Catalogue) -> None:
        """Prepare every factor of the whole run."""
        self.plan = plan
        self.country = country
        self.catalogue = catalogue
        self.sites: list[Site] = [*plan.shops(country), *plan.online(country)]
        self.channel = np.array([0 if site.kind == "shop" else 1 for site in self.sites])
        self.usual = self._usual()
        self.factor = self._factors()
        cover = self.usual * COVER_DAYS
        self.full = np.ceil(cover + 2 * np.sqrt(cover)).astype(np.int64) + 1
        self.shelf = self.full.copy()
        self.failing = np.zeros(self.full.shape, dtype=np.int64)  # days the supplier still fails

    def _usual(self) -> np.ndarray:
        """Units a day by site and article at the first price, without any effect."""
        lines = self.plan.country_customers(self.country) * LINES_PER_CUSTOMER_DAY
        size = np.array([site.size for site in self.sites])
        for channel, share in enumerate((1.0, ONLINE_SHARE)):
            mine = self.channel == channel
            size[mine] *= share / size[mine].sum()
        return lines * UNITS_PER_LINE * size[:, None] * self.catalogue.popularity[None, :]

    def _factors(self) -> np.ndarray:
        """Factor on demand by channel, article and day: all but chance."""
        plan, catalogue = self.plan, self.catalogue
        _, percent, uplift = catalogue.on_offer
        paid = catalogue.price * (1 - percent / 100) / catalogue.base_price[:, None]
        by_price = paid ** catalogue.elasticity[:, None] * uplift
        of_year = np.array([day.timetuple().tm_yday for day in plan.dates])
        by_season = np.array([season(department, of_year) for department in DEPARTMENTS])
        trend = (1 + TREND_YEAR) ** (np.arange(plan.days) / 365.25)
        by_day = np.array(self.country.weekdays)[plan.weekday] * trend
        feasts = feast_factors(plan, self.country)
        shaped = by_price * by_season[catalogue.departments] * by_day
        return np.stack([shaped * feasts[c].T[catalogue.departments] for c in range(len(CHANNELS))])

    def sell(self, week: Week) -> Sales:
        """Draw one week: what was wanted, what the shelves allowed, what was left."""
        rng = self.plan.generator(Stream.DEMAND, self.country.number, week.number)
        days = list(week.days)
        mean = self.usual[:, :, None] * self.factor[self.channel][:, :, days]
        wanted = rng.poisson(mean)
        sold, left = np.empty_like(wanted), np.empty_like(wanted)
        starts = (rng.random(self.full.shape) < FAILURE_WEEK * len(days) / 7) & (self.failing == 0)
        lengths = rng.integers(*FAILURE_DAYS, self.full.shape)
        first = rng.integers(0, len(days), self.full.shape)
        for d in range(len(days)):
            self.failing = np.where(starts & (first == d), lengths, self.failing)
            self.shelf = np.where(self.failing > 0, self.shelf, self.full)
            sold[:, :, d] = np.minimum(wanted[:, :, d], self.shelf)
            self.shelf = self.shelf - sold[:, :, d]
            left[:, :, d] = self.shelf
            self.failing = np.maximum(self.failing - 1, 0)
        return Sales(wanted, sold, left)
