"""A cinema with a known truth: films that fade by the week, a programme, halls with seats."""

from datetime import date

import numpy as np

from dagster_project.core.forecasting.engine.film_programme import KNOWN_DAYS, SEATS, SHOWS_OF
from dagster_project.core.forecasting.engine.panel import Panel

FIRST = date(2024, 1, 4)  # a Thursday, the day on which films open
DECAY = 0.6  # of a film's tickets a week; its own differs by a tenth
WEEKDAY = np.array([0.5, 0.9, 0.5, 0.7, 1.1, 1.7, 1.5])  # Tuesday is the discount day
DRAW = np.array([0.5, 1.0, 0.7])  # of a show by slot
SEATS_OF_A_HALL = 140.0
NOISE = 0.15  # of a day's demand, as a standard deviation of its logarithm


def generated(
    *,
    days: int = 280,
    horizon: int = 14,
    cinemas: int = 4,
    told: int = 4,
    seed: int = 7,
    own_weekdays: float = 0.0,
) -> Panel:
    """Two films a week in every cinema; the programme is told for some days ahead.

    ``own_weekdays``: by how much films differ in each, as a standard deviation of the logarithm.
    Shows are planned by the week, by what is expected of the film; it ends below 25 tickets a day.
    """
    rng = np.random.default_rng(seed)
    end = days + horizon
    weekdays = (FIRST.weekday() + np.arange(end)) % 7
    rows = []
    for release in range(0, days, 7):
        for number in range(2):
            appeal = 260.0 * np.exp(0.7 * rng.standard_normal())
            decay = DECAY * np.exp(0.1 * rng.standard_normal())
            for cinema in range(cinemas):
                size = appeal * (0.6 + 0.3 * cinema) * np.exp(0.2 * rng.standard_normal())
                code = f"film_store:till:S{cinema}:F{release:03}{number}"
                own = WEEKDAY * np.exp(own_weekdays * rng.standard_normal(7))
                rows.append((code, *_life(rng, own[weekdays], release, size, decay)))
    keys, tickets, shows = (list(one) for one in zip(*rows, strict=True))
    values = np.stack(tickets)
    values[np.arange(end) < np.repeat(np.arange(0, days, 7), 2 * cinemas)[:, None]] = np.nan
    played = np.stack(shows)
    regressors = {name: played[:, :, slot] for slot, name in enumerate(SHOWS_OF)}
    regressors[SEATS] = SEATS_OF_A_HALL * played.sum(axis=2)
    regressors[KNOWN_DAYS] = np.full((len(keys), end), float(told))
    count = len(keys)
    return Panel(
        first_date=FIRST,
        horizon=horizon,
        keys=tuple(keys),
        segments=("film_store",) * count,
        values=values[:, :days],
        closed=np.zeros((count, end), dtype=bool),
        sold_out=np.zeros((count, days), dtype=bool),
        regressors=regressors,
        countries=((),) * count,
    )


def _life(
    rng: np.random.Generator, weekday: np.ndarray, release: int, size: float, decay: float
) -> tuple[np.ndarray, np.ndarray]:
    """Tickets (D,) and shows (D, slots) of a film in a cinema."""
    days = np.arange(len(weekday)) - release
    week = np.maximum(days // 7, 0)
    usual = np.where(days >= 0, size * decay**week, 0.0)
    count = np.where(usual >= 25.0, np.clip(np.ceil(usual / 70.0), 1, 6), 0)
    count = np.where(np.cumsum((count == 0) & (days >= 0)) > 0, 0, count)
    shows = np.stack([count // 3, np.maximum(count - 2 * (count // 3), 0), count // 3], axis=1)
    draw = shows * DRAW
    share = draw / np.maximum(draw.sum(axis=1, keepdims=True), 1e-9)
    noise = np.exp(NOISE * rng.standard_normal(len(days)))
    wanted = (usual * weekday * noise)[:, None] * share
    sold = np.minimum(rng.poisson(wanted), SEATS_OF_A_HALL * shows)
    return sold.sum(axis=1).astype(float), shows
