"""Many daily series side by side, with what is known ahead of the days to come.

Belongs here: the shape that every model reads, and its view from an earlier day. Does not: where
the values come from (the star schema, a file, a generator).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np

from dagster_project.core.forecasting.events import CalendarDay

WEEK = 7
PROMOTION = "promotion"  # the regressor that the weekday × promotion mean goes by


@dataclass(frozen=True)
class Panel:
    """N series over T days of history, and H days ahead for what is known ahead.

    ``values`` up to the last day; a day without a value teaches nothing (closed, sold out, not
    converted). A sold-out day has the amount that was sold, a lower bound of what was asked for.
    """

    first_date: date
    horizon: int
    keys: tuple[str, ...]  # (N,) distinct
    segments: tuple[str, ...]  # (N,) series that are judged, chosen for and pooled together
    values: np.ndarray  # (N, T) amounts a day; NaN = nothing to learn
    closed: np.ndarray  # (N, T + H) bool: known to be closed, also ahead
    sold_out: np.ndarray  # (N, T) bool: sold out at some time of the day
    regressors: Mapping[str, np.ndarray]  # name → (N, T + H) known ahead, 0 = nothing on
    countries: tuple[tuple[str, ...], ...]  # (N,) whose feasts the series keeps
    calendar: tuple[CalendarDay, ...] = field(default=(), repr=False)  # with a margin of 45 days
    # Whether ``closed`` tells of announced days; else it holds what was seen, and what an earlier
    # origin could know of the days ahead of it is worked out from the days before it.
    closures_announced: bool = True

    def __post_init__(self) -> None:
        """Raise ValueError when the shapes do not fit each other."""
        count, days = self.values.shape
        ahead = {"closed": self.closed, **self.regressors}
        wrong = [name for name, one in ahead.items() if one.shape != (count, days + self.horizon)]
        if self.sold_out.shape != (count, days):
            wrong.append("sold_out")
        if {len(self.keys), len(self.segments), len(self.countries)} != {count}:
            wrong.append("keys, segments or countries")
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: not of {count} series and {days} days")

    @property
    def series_count(self) -> int:
        """Number of series."""
        return len(self.keys)

    @property
    def day_count(self) -> int:
        """Days of history, the origin included."""
        return self.values.shape[1]

    @property
    def origin_date(self) -> date:
        """The last day of history."""
        return self.day(self.day_count - 1)

    @property
    def weekdays(self) -> np.ndarray:
        """(T + H,) weekday of each day, Monday = 0."""
        days = np.arange(self.day_count + self.horizon)
        return (days + self.first_date.weekday()) % WEEK

    @property
    def first_index(self) -> np.ndarray:
        """(N,) position of each series' first day with a value; T where there is none."""
        known = ~np.isnan(self.values)
        return np.where(known.any(axis=1), known.argmax(axis=1), self.day_count)

    @property
    def promotion(self) -> np.ndarray:
        """(N, T + H) the promotion regressor; all 0 where nothing is known of promotions."""
        shape = (self.series_count, self.day_count + self.horizon)
        return self.regressors.get(PROMOTION, np.zeros(shape))

    def day(self, index: int) -> date:
        """The date at a position; positions from T on lie ahead."""
        return self.first_date + timedelta(days=index)

    def until(self, days: int) -> Panel:
        """The panel as it was known after its first ``days`` days: nothing later is in it."""
        ahead = days + self.horizon
        if not 0 < days <= self.day_count:
            raise ValueError(f"{days} days of {self.day_count}")
        return replace(
            self,
            values=self.values[:, :days],
            closed=self.closed[:, :ahead],
            sold_out=self.sold_out[:, :days],
            regressors={name: one[:, :ahead] for name, one in self.regressors.items()},
        )

    def only(self, rows: Sequence[int] | np.ndarray) -> Panel:
        """Some of the series, in the order given."""
        places = np.asarray(rows, dtype=int)
        return replace(
            self,
            keys=tuple(self.keys[n] for n in places),
            segments=tuple(self.segments[n] for n in places),
            values=self.values[places],
            closed=self.closed[places],
            sold_out=self.sold_out[places],
            regressors={name: one[places] for name, one in self.regressors.items()},
            countries=tuple(self.countries[n] for n in places),
        )
