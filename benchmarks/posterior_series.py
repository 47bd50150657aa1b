"""Series that the two fits of Prophet's posterior are compared on.

Belongs here: panels' series one by one, and those that are hard on purpose. Does not: any fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from benchmarks.forecast.panels import HORIZON_DAYS, build


@dataclass(frozen=True)
class Series:
    """One series to fit: amounts of consecutive days, and what is known of promotions."""

    name: str
    first_date: date
    amounts: np.ndarray  # (T,), NaN = no row
    country: str = "US"
    promoted: np.ndarray | None = None  # (T + H,)


def panel_series(name: str, count: int) -> list[Series]:
    """Some series of a panel, evenly drawn, over the history before its first window."""
    bench = build(name)
    panel = bench.panel.until(bench.origins[0])
    rows = np.unique(np.linspace(0, panel.series_count - 1, count).round().astype(int))
    return [
        Series(
            panel.keys[n],
            panel.first_date,
            panel.values[n],
            panel.countries[n][0],
            panel.promotion[n],
        )
        for n in rows
    ]


def hard_series(_: int) -> list[Series]:
    """Series that are hard on purpose: short, broken, with gaps, spikes, without noise, huge."""
    rng = np.random.default_rng(7)

    def shop(days: int) -> np.ndarray:
        time = np.arange(days)
        year = 10 * np.sin(2 * np.pi * time / 365.25)
        return 100 + 0.05 * time + 20 * (time % 7 > 4) + year + rng.normal(0, 8, days)

    made = {f"{days} days": shop(days) for days in (15, 30, 60, 90, 120, 200, 400, 900)}
    made["spike"] = np.where(np.arange(900) == 400, 1e6, shop(900))
    made["large day"] = np.where(np.arange(900) == 400, 2000, shop(900))
    made["gap"] = np.where(abs(np.arange(900) - 360) < 60, np.nan, shop(900))
    made["scattered gaps"] = np.where(rng.random(900) < 0.4, np.nan, shop(900))
    made["break"] = shop(900) * np.where(np.arange(900) < 500, 1, 3)
    made["two breaks"] = shop(900) * np.select([np.arange(900) < n for n in (300, 600)], [1, 4], 2)
    made["huge"], made["tiny"] = 1e12 * shop(900), 1e-9 * shop(900)
    made["one day off"] = np.where(np.arange(900) == 3, 51.0, 50.0)
    made["mostly nothing"] = (rng.random(900) < 0.02) * rng.gamma(2, 5, 900)
    made["heavy tails"] = 100 + 5 * rng.standard_t(1.5, 900)
    made["about nothing"] = shop(900) - shop(900)
    made["random walk"] = 500 + np.cumsum(rng.normal(0, 5, 900))
    made["line without noise"] = 3 + 0.1 * np.arange(900)
    made["week without noise"] = 100 + 20 * np.sin(2 * np.pi * np.arange(400) / 7)
    made["step without noise"] = 1 + (np.arange(900) >= 450)
    promoted = (rng.random(928) < 0.15).astype(float)
    return [
        Series(
            name,
            date(2021, 1, 4),
            np.asarray(one, dtype=float),
            promoted=promoted[: len(one) + HORIZON_DAYS],
        )
        for name, one in made.items()
    ]
