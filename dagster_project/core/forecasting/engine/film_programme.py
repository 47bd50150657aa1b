"""Which shows a film will have: as the programme tells, and after that as programmes usually go.

Belongs here: shows and seats of every day, how fast shows are taken off, the most tickets there
can be. Does not: tickets.

A programme is known for some days ahead. For the days after it each film is taken to have the
shows of its last known week, and to keep of their tickets what films whose shows draw as many
usually keep: one that is taken off altogether keeps none. A film without a show in that week has
ended.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.core.forecasting.engine.panel import WEEK, Panel

SLOTS = ("matinee", "evening", "late")
SHOWS_OF = tuple(f"shows_{slot}" for slot in SLOTS)  # regressors, as the next ones
SEATS = "seats"  # of all shows of the day; 0 = not known
KNOWN_DAYS = "programme_days"  # for how many days ahead the programme is told; the same everywhere
GROUPS = 4  # of films by the tickets that a show of theirs draws, equally many weeks of films each
LOOK_BACK_WEEKS = 52
USUAL_FILMS = 5.0  # weeks of films that a group needs to be heard as much as all groups together


def room_ahead(view: Panel) -> np.ndarray:
    """(N, H) seats of the shows that are told; inf after them, and where seats are not known."""
    seats, known = view.regressors.get(SEATS), view.regressors.get(KNOWN_DAYS)
    if seats is None or known is None:
        return np.full((view.series_count, view.horizon), np.inf)
    told = np.arange(view.horizon) < known[:, view.day_count, None]
    ahead = seats[:, view.day_count :]
    return np.where(told & (ahead > 0), ahead, np.inf)


@dataclass(frozen=True)
class Ahead:
    """The days to come."""

    shows: np.ndarray  # (N, H, slots)
    seats: np.ndarray  # (N, H) inf where they are not known
    kept: np.ndarray  # (N, H) share of what these shows sell: 1 where the programme is known


@dataclass(frozen=True)
class Programme:
    """Shows of all days that are known: T of history and K ahead."""

    shows: np.ndarray  # (N, T + K, slots)
    seats: np.ndarray  # (N, T + K) 0 = not known
    tickets: np.ndarray  # (N, T) 0 where none are known
    horizon: int

    @classmethod
    def of(cls, view: Panel) -> Programme:
        """Nothing is read of days for which the programme was not known yet.

        Where the panel tells nothing of shows, a day with tickets is one in the evening.
        """
        days, tickets = view.day_count, np.maximum(np.nan_to_num(view.values), 0.0)
        if not set(SHOWS_OF) <= set(view.regressors):
            shows = np.zeros((*tickets.shape, len(SLOTS)))
            shows[:, :, SLOTS.index("evening")] = tickets > 0
            return cls(shows, np.zeros(tickets.shape), tickets, view.horizon)
        known = view.regressors.get(KNOWN_DAYS)
        ahead = 0 if known is None else int(known[:, days].max(initial=0.0))
        end = days + min(ahead, view.horizon)
        shows = np.stack([view.regressors[name][:, :end] for name in SHOWS_OF], axis=2)
        seats = view.regressors.get(SEATS)
        seats = np.zeros(shows.shape[:2]) if seats is None else seats[:, :end]
        return cls(shows, seats, tickets, view.horizon)

    def ahead(self, power: float) -> Ahead:
        """The horizon; tickets go by the number of a film's shows to that power."""
        end, days = self.shows.shape[1], self.tickets.shape[1]
        step = np.arange(self.horizon) - (end - days)
        told = step < 0
        first = _first(self.shows.sum(axis=2))
        own = np.minimum(days + np.arange(self.horizon), end - 1)
        week = np.maximum(step, 0) % WEEK
        shows = np.where(told[:, None], self.shows[:, own], _last_week(self.shows, first)[:, week])
        seats = np.where(told, self.seats[:, own], _last_week(self.seats, first)[:, week])
        kept = self._kept(first, power)[:, np.maximum(step, 0) // WEEK]
        return Ahead(shows, np.where(seats > 0, seats, np.inf), np.where(told, 1.0, kept))

    def _kept(self, first: np.ndarray, power: float) -> np.ndarray:
        """(N, weeks) share of its tickets that a film keeps one, two … weeks on, age apart."""
        steps = -(-self.horizon // WEEK)
        total = self.shows.sum(axis=2)
        end, lag = total.shape[1], total.shape[1] - self.tickets.shape[1]
        sums = [_running(one) for one in (total, total > 0, self.tickets)]
        backs = range(1, LOOK_BACK_WEEKS + 1)
        ends = [now for now in (end - WEEK * back for back in backs) if now >= WEEK + lag]
        weeks = [_Week.of(sums, first, now, lag) for now in ends]
        draws = np.concatenate([one.draw[one.tickets > 0] for one in weeks] or [np.zeros(1)])
        edges = np.quantile(draws, np.arange(1, GROUPS) / GROUPS) if len(draws) else np.zeros(3)
        left, whole = np.zeros((GROUPS, steps)), np.zeros((GROUPS, steps))
        for now, week in zip(ends, weeks, strict=True):
            group = np.searchsorted(edges, week.draw)
            for step in range(min(steps, (end - now) // WEEK)):
                share = week.left(sums, now + step * WEEK, power)
                left[:, step] += np.bincount(group, week.tickets * share, GROUPS)
                whole[:, step] += np.bincount(group, week.tickets, GROUPS)
        usual = USUAL_FILMS * float(np.mean([one.usual for one in weeks])) if weeks else 1.0
        pooled = (left.sum(axis=0) + max(usual, 1e-9)) / (whole.sum(axis=0) + max(usual, 1e-9))
        kept = np.minimum((left + usual * pooled) / np.maximum(whole + usual, 1e-9), 1.0)
        return kept[np.searchsorted(edges, _Week.of(sums, first, end, lag).draw)]


@dataclass(frozen=True)
class _Week:
    """The seven days before a day, as known then: arrays (N,)."""

    shows: np.ndarray  # a day on which there was one
    days: np.ndarray  # with a show; of a film younger than a week in proportion
    tickets: np.ndarray  # of the last seven days that had tickets by then
    draw: np.ndarray  # tickets of a show; inf where none are known

    @classmethod
    def of(cls, sums: list[np.ndarray], first: np.ndarray, now: int, lag: int) -> _Week:
        """``sums``: running shows, days with a show, tickets; ``lag``: days told ahead."""
        shows, days = (_between(one, now - WEEK, now) for one in sums[:2])
        sold = _between(sums[2], now - lag - WEEK, now - lag)
        played = _between(sums[0], now - lag - WEEK, now - lag)
        draw = np.divide(sold, played, out=np.full(len(sold), np.inf), where=played > 0)
        run = np.clip(now - first, 1, WEEK)
        per_day = np.divide(shows, days, out=np.zeros(len(shows)), where=days > 0)
        return cls(per_day, days * WEEK / run, np.where(days > 0, sold, 0.0), draw)

    @property
    def usual(self) -> float:
        """Tickets of a film, of those that have any."""
        seen = self.tickets > 0
        return float(self.tickets[seen].mean()) if seen.any() else 0.0

    def left(self, sums: list[np.ndarray], start: int, power: float) -> np.ndarray:
        """(N,) share of the week's tickets that the shows of a later week would sell."""
        shows, days = (_between(one, start, start + WEEK) for one in sums[:2])
        per_day = np.divide(shows, days * self.shows, out=np.zeros(len(shows)),
                            where=(days > 0) & (self.shows > 0))  # fmt: skip
        return np.divide(days, self.days, out=np.zeros(len(days)), where=self.days > 0) * (
            np.where(per_day > 0, np.maximum(per_day, 1e-9) ** power, 0.0)
        )


def _running(amounts: np.ndarray) -> np.ndarray:
    return np.pad(np.cumsum(amounts, axis=1, dtype=float), ((0, 0), (1, 0)))


def _between(running: np.ndarray, start: int, end: int) -> np.ndarray:
    return running[:, max(end, 0)] - running[:, max(start, 0)]


def _first(total: np.ndarray) -> np.ndarray:
    """(N,) the first day with a show; the number of days where there is none."""
    shown = total > 0
    return np.where(shown.any(axis=1), shown.argmax(axis=1), total.shape[1])


def _last_week(amounts: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(N, 7, ...) the last seven days; those before a film's first are like the ones after it."""
    end = amounts.shape[1]
    days = np.arange(end - WEEK, end)
    week = amounts[:, np.maximum(days, 0)]
    run = (days >= first[:, None]).reshape(len(week), WEEK, *[1] * (week.ndim - 2))
    mean = (week * run).sum(axis=1, keepdims=True) / np.maximum(run.sum(axis=1, keepdims=True), 1)
    return np.where(run, week, mean)
