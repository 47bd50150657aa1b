"""What is simulated: the arguments, three countries, their shops, and the weeks of the run.

Belongs here: everything that follows from the arguments alone. Does not: anything drawn at
random, except the generators themselves, which follow from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from functools import cached_property, lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np

from dagster_project.core.simulation.delivery import SimulationError

SENDER = "lantern"
FaultLevel = Literal["none", "light", "heavy"]
FAULT_LEVELS: tuple[FaultLevel, ...] = ("none", "light", "heavy")

# Till lines a day for each customer: 4,000 customers make about 0.6 million lines a year.
LINES_PER_CUSTOMER_DAY = 0.38
MINIMUM_STORES = 3  # one for each country
MINIMUM_CUSTOMERS = 60
MINIMUM_DAYS = 7
MAXIMUM_DAYS = 3650
MAXIMUM_STORES = 2000
YEARS = (1950, 2080)  # for which the lunar and Jalali calendars are known


class Stream(IntEnum):
    """One stream of random numbers for each part: a change in one leaves the others alone."""

    CATALOGUE = 1
    PRICES = 2
    PROMOTIONS = 3
    PEOPLE = 4
    DEMAND = 5
    TILLS = 6
    WEB = 7
    EVENTS = 8
    CLUB = 9
    POSTS = 10
    RATES = 11
    BILLS = 12
    FRAUDS = 13
    FAULTS = 14
    STORES = 15
    STAFF = 16
    SESSIONS = 17
    PARCELS = 18
    SHELVES = 19
    VOICES = 20
    DETAILS = 21
    PREPAID = 22


@dataclass(frozen=True)
class Country:
    """One country's money, clock and tax as the simulation knows them."""

    code: str
    number: int
    currency: str
    minor_digits: int  # decimals of the currency in use
    time_zone: str
    language: str
    per_dollar: float  # units of the currency for one US dollar, early 2017
    price_step: int  # list prices end on a multiple of this many minor units
    food_tax: float
    tax: float
    weekdays: tuple[float, ...]  # demand by weekday, Monday first; mean 1
    postage: int  # minor units
    points_unit: int  # minor units that earn one point

    @property
    def minor(self) -> int:
        """Minor units in one unit of the currency."""
        return int(10**self.minor_digits)


COUNTRIES = (
    Country(
        code="CN", number=0, currency="CNY", minor_digits=2, time_zone="Asia/Shanghai",
        language="zh", per_dollar=6.9, price_step=10, food_tax=0.11, tax=0.17,
        weekdays=(0.88, 0.86, 0.88, 0.92, 1.04, 1.24, 1.18), postage=800, points_unit=100,
    ),
    Country(
        # Thursday and Friday are the week-end.
        code="IR", number=1, currency="IRR", minor_digits=0, time_zone="Asia/Tehran",
        language="fa", per_dollar=32400.0, price_step=1000, food_tax=0.0, tax=0.09,
        weekdays=(0.92, 0.94, 1.02, 1.28, 1.10, 0.86, 0.88), postage=90_000, points_unit=10_000,
    ),
    Country(
        code="GB", number=2, currency="GBP", minor_digits=2, time_zone="Europe/London",
        language="en", per_dollar=0.8, price_step=5, food_tax=0.0, tax=0.20,
        weekdays=(0.86, 0.86, 0.90, 0.98, 1.14, 1.30, 0.96), postage=395, points_unit=10,
    ),
)  # fmt: skip

# The country of the n-th shop, repeated: half of the shops are in China.
SHOP_PATTERN = (0, 1, 2, 0)

CITIES = {
    "CN": (
        ("上海", "East"), ("杭州", "East"), ("成都", "West"), ("广州", "South"),
        ("武汉", "Central"),
    ),
    "IR": (("تهران", "Tehran"), ("اصفهان", "Isfahan"), ("شیراز", "Fars"), ("مشهد", "Khorasan")),
    "GB": (("London", "South East"), ("Leeds", "Yorkshire"), ("Bristol", "South West")),
}  # fmt: skip


@dataclass(frozen=True)
class Site:
    """One shop, web shop or app; ``number`` is its place in ``Plan.sites``."""

    code: str
    number: int
    country: Country
    kind: Literal["shop", "web", "app"]
    name: str
    city: str
    region: str
    size: float  # share of its country's demand in its own kind of channel
    format: str
    cut_off_hour: int
    opens: int  # seconds after local midnight
    closes: int  # may lie after midnight: the business day goes on until the cut-off hour
    terminals: int
    cashiers: int


@dataclass(frozen=True)
class Week:
    """The days of one ISO week that lie in the run."""

    number: int
    label: str  # 2017W01
    days: tuple[int, ...]  # days since the start


@dataclass(frozen=True)
class Plan:
    """The arguments of one simulation, and what follows from them."""

    stores: int
    days: int
    customers: int
    seed: int
    faults: FaultLevel
    start: date

    def __post_init__(self) -> None:
        """Refuse arguments that make no retailer."""
        limits = (
            ("stores", self.stores, MINIMUM_STORES, MAXIMUM_STORES),
            ("days", self.days, MINIMUM_DAYS, MAXIMUM_DAYS),
            ("customers", self.customers, MINIMUM_CUSTOMERS, 5_000_000),
            ("seed", self.seed, 0, 2**63 - 1),
        )
        for name, value, least, most in limits:
            if not least <= value <= most:
                raise SimulationError(f"{name} must be {least} to {most}, not {value}")
        if not YEARS[0] <= self.start.year <= YEARS[1]:
            raise SimulationError(f"start must lie in {YEARS[0]} to {YEARS[1]}")
        if self.faults not in FAULT_LEVELS:
            raise SimulationError(f"faults must be one of {', '.join(FAULT_LEVELS)}")

    def generator(self, stream: Stream, *parts: int) -> np.random.Generator:
        """Random numbers that depend on the seed, the stream and the parts, nothing else."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, int(stream), *parts]))

    def day(self, number: int) -> date:
        """The calendar date of a day since the start."""
        return self.start + timedelta(days=int(number))

    @cached_property
    def dates(self) -> list[date]:
        """Every date of the run."""
        return [self.day(number) for number in range(self.days)]

    @cached_property
    def weekday(self) -> np.ndarray:
        """Weekday of every day, Monday 0."""
        return np.array([day.weekday() for day in self.dates])

    @cached_property
    def weeks(self) -> tuple[Week, ...]:
        """The run cut into ISO weeks; the first and last may be short."""
        found: dict[str, list[int]] = {}
        for number, day in enumerate(self.dates):
            year, week, _ = day.isocalendar()
            found.setdefault(f"{year}W{week:02d}", []).append(number)
        return tuple(
            Week(number, label, tuple(days)) for number, (label, days) in enumerate(found.items())
        )

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """Shops first, then the web shops, then the app."""
        return make_sites(self)

    def shops(self, country: Country) -> list[Site]:
        """The country's shops."""
        return [s for s in self.sites if s.country is country and s.kind == "shop"]

    def online(self, country: Country) -> list[Site]:
        """The country's web shop, and the app where it has one."""
        return [s for s in self.sites if s.country is country and s.kind != "shop"]

    def country_customers(self, country: Country) -> int:
        """Customers of a country, by its share of the shops."""
        of = [SHOP_PATTERN[n % len(SHOP_PATTERN)] for n in range(self.stores)]
        edges = np.cumsum([0, *(of.count(c.number) for c in COUNTRIES)]) * self.customers
        bounds = edges // self.stores
        return int(bounds[country.number + 1] - bounds[country.number])


def make_sites(plan: Plan) -> tuple[Site, ...]:
    """All sites of a plan: sizes differ by a factor of about three between shops."""
    draws = plan.generator(Stream.STORES).random(plan.stores)
    sites: list[Site] = []
    counts = [0] * len(COUNTRIES)
    for number in range(plan.stores):
        country = COUNTRIES[SHOP_PATTERN[number % len(SHOP_PATTERN)]]
        counts[country.number] += 1
        sites.append(_shop(number, country, counts[country.number], float(draws[number])))
    for country in COUNTRIES:
        sites.append(_online(len(sites), country, "web", 0.6 if country.code == "CN" else 1.0))
    sites.append(_online(len(sites), COUNTRIES[0], "app", 0.4))
    return tuple(sites)


def _shop(number: int, country: Country, nth: int, draw: float) -> Site:
    cities = CITIES[country.code]
    city, region = cities[nth % len(cities)]
    late = country.code == "CN" and nth % 3 == 0  # every third Chinese shop closes at 01:00
    hour = 3600
    return Site(
        code=f"{country.code}{nth:02d}", number=number, country=country, kind="shop",
        name=f"Lantern {city} {nth}", city=city, region=region, size=0.6 + 1.0 * draw,
        format="convenience" if late else "supermarket", cut_off_hour=4 if late else 0,
        opens=8 * hour, closes=25 * hour if late else 22 * hour,
        terminals=3 if draw > 0.5 else 2, cashiers=7 if draw > 0.5 else 5,
    )  # fmt: skip


def _online(number: int, country: Country, kind: Literal["web", "app"], size: float) -> Site:
    return Site(
        code=f"{country.code}-{kind.upper()}", number=number, country=country, kind=kind,
        name=f"Lantern {kind} {country.code}", city="", region="Online", size=size,
        format="online", cut_off_hour=0, opens=0, closes=24 * 3600, terminals=0, cashiers=0,
    )  # fmt: skip


def utc_offsets(zone: str, moments: np.ndarray) -> np.ndarray:
    """Offset from UTC in seconds at each UTC moment (seconds since 1970)."""
    if moments.size == 0:
        return np.zeros(0, dtype=np.int64)
    # One look-up an hour: zones change their offset on the hour or half hour of UTC.
    half_hours = moments // 1800
    first, last = int(half_hours.min()), int(half_hours.max())
    days = np.arange(first // 48, last // 48 + 1)
    edges = _offset(zone, days * 86400), _offset(zone, days * 86400 + 86399)
    if (edges[0] == edges[1]).all():
        return edges[0][moments // 86400 - days[0]]
    table = _offset(zone, np.arange(first, last + 1) * 1800)
    return table[half_hours - first]


def _offset(zone: str, moments: np.ndarray) -> np.ndarray:
    return np.array([_offset_at(zone, moment) for moment in moments.tolist()], dtype=np.int64)


@lru_cache(maxsize=65_536)  # every file of a week asks for the same days again
def _offset_at(zone: str, moment: int) -> int:
    offset = datetime.fromtimestamp(moment, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def midnights(plan: Plan, zone: str) -> np.ndarray:
    """UTC moment, in seconds since 1970, of noon less twelve hours of every day in the zone."""
    epoch = date(1970, 1, 1)
    noons = np.array([(day - epoch).days * 86400 + 43200 for day in plan.dates], dtype=np.int64)
    return noons - utc_offsets(zone, noons) - 43200
