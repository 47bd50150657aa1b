"""Tickets of films: how they fade, which shows they will have, how many seats there are."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pytest
from forecast_marts import NEW_YORK, open_star
from generated_cinema import DECAY, SEATS_OF_A_HALL, generated

from dagster_project.core.forecasting.agreement import steps
from dagster_project.core.forecasting.definitions import Definition, load_definitions
from dagster_project.core.forecasting.engine import backtest, box_office
from dagster_project.core.forecasting.engine.film_programme import Programme
from dagster_project.core.forecasting.engine.panel import Panel
from dagster_project.core.forecasting.engine.run import Result, forecast_panel
from dagster_project.core.forecasting.events import CalendarDay
from dagster_project.core.forecasting.reading import Reading, read

MODELS = ("box_office", "weekday_promotion_mean", "seasonal_naive", "seasonal_naive_14")
FIRST = date(2024, 1, 5)  # a Friday
DAYS = 210
ORIGIN = FIRST + timedelta(days=DAYS - 1)
SEATS = 100


def errors_of(told: int) -> dict[str, tuple[float, float]]:
    """Model → error and bias as shares of the tickets, over the same six windows of four draws.

    ``faded`` is last week again, times the truth's decay.
    """
    sums: dict[str, np.ndarray] = {}
    for seed in range(4):
        test = backtest.run(generated(told=told, seed=seed), MODELS, tell=lambda said: None)
        made = dict(zip(test.models, test.past.swapaxes(0, 1), strict=True))
        made["faded"] = made["seasonal_naive"] * DECAY ** (1 + np.arange(14) // 7)
        for name, one in made.items():
            error = one - test.actual
            sold = np.where(np.isnan(error), 0.0, test.actual).sum()
            found = np.array([np.nansum(np.abs(error)), np.nansum(error), sold])
            sums[name] = sums.get(name, 0.0) + found
    return {name: (one[0] / one[2], one[1] / one[2]) for name, one in sums.items()}


@pytest.mark.parametrize(
    ("told", "most"), [(0, 0.32), (4, 0.29), (14, 0.22)], ids=["no day", "4 days", "14 days"]
)
def test_films_that_fade_are_told_better_than_by_their_past_alone(told, most):
    found = errors_of(told)
    error, bias = found.pop("box_office")
    faded, _ = found.pop("faded")

    # The truth's own noise is .15 of a day, and chance adds a seventh of 50 tickets.
    assert error < most
    assert abs(bias) < 0.08
    assert error < faded
    assert error < 0.5 * min(other for other, _ in found.values())


def test_the_more_of_the_programme_is_known_the_smaller_the_error():
    errors = [errors_of(told)["box_office"][0] for told in (0, 4, 14)]

    assert errors == sorted(errors, reverse=True)


def test_the_effects_are_those_of_the_truth():
    panel = generated()
    fit = box_office._Fit.of(panel, box_office._Days.of(panel, Programme.of(panel)))

    # Against Monday's half: Saturday 3.4 times, Tuesday 1.8 times; full halls hide some of it.
    assert np.exp(fit.effects[4]) == pytest.approx(3.4, rel=0.1)
    assert np.exp(fit.effects[0]) == pytest.approx(1.8, rel=0.1)


def test_a_film_for_the_weekend_is_told_from_one_for_the_week(monkeypatch):
    panel = generated(own_weekdays=0.3)

    def error() -> float:
        made = backtest.run(panel, ("box_office",), tell=lambda said: None)
        return float(np.nansum(np.abs(made.past[:, 0] - made.actual)) / np.nansum(made.actual))

    own = error()
    monkeypatch.setattr(
        box_office, "_own_weekdays", lambda view, *_: np.zeros((view.series_count, 7))
    )

    assert own < 0.92 * error()


def test_a_holiday_is_felt_as_it_was_before():
    panel = generated(told=14)
    held = dict.fromkeys((30, 75, 121, 170, 222, 284), 1.8)  # the last one lies ahead
    calendar = tuple(
        CalendarDay(
            panel.day(n), 1, 1, False, 1, 1, frozenset({("XX", "Day")} if n in held else ())
        )
        for n in range(panel.day_count + panel.horizon)
    )
    factor = np.array([held.get(n, 1.0) for n in range(panel.day_count)])
    room = {"seats": 10 * panel.regressors["seats"]}
    without = replace(panel, values=panel.values * factor, regressors=dict(panel.regressors) | room)
    told = replace(without, calendar=calendar, countries=(("XX",),) * panel.series_count)
    ratio = np.nansum(box_office.forecast(told), axis=0) / np.nansum(
        box_office.forecast(without), axis=0
    )

    assert ratio[4] == pytest.approx(1.8, rel=0.12)
    assert np.delete(ratio, 4) == pytest.approx(1.0, abs=0.06)


def test_no_day_has_more_tickets_than_seats():
    panel = generated(told=14)
    for days in (150, 200, panel.day_count):
        made = box_office.forecast(panel.until(days))
        seats = panel.regressors["seats"][:, days : days + panel.horizon]
        begun = ~np.isnan(made)

        assert (made[begun] <= seats[begun]).all()
        assert (made[begun] >= 0).all()


@pytest.mark.parametrize("names", [MODELS[:1], MODELS[2:3]], ids=["films", "last week again"])
def test_neither_forecast_nor_interval_has_more_tickets_than_the_seats_that_are_told(names):
    panel = generated(told=4, seed=2)
    result = forecast_panel(panel, names=names, windows=6)
    days, seats = panel.day_count, panel.regressors["seats"]
    told = seats[:, days : days + 4]
    limits = result.bands.final[:, :, :4]
    judged = ~np.isnan(limits).any(axis=1) & (told > 0)

    assert (result.mean[:, :4][judged] <= told[judged]).all()
    assert (limits.max(axis=1)[judged] <= told[judged]).all()
    assert (limits.max(axis=1)[judged] == told[judged]).any()  # seats are what limits some


def test_a_hall_that_is_always_full_stays_full_and_no_more():
    panel = generated(told=14)
    row = int(np.nan_to_num(panel.values[:, -28:]).sum(axis=1).argmax())
    values, shows = panel.values.copy(), np.zeros_like(panel.regressors["seats"])
    shows[row] = 1.0
    values[row] = SEATS_OF_A_HALL
    told = {name: np.where(shows > 0, 0.0, one) for name, one in panel.regressors.items()}
    told["shows_evening"][row] = 1.0
    told["seats"][row] = SEATS_OF_A_HALL
    told["programme_days"][row] = 14.0
    made = box_office.forecast(replace(panel, values=values, regressors=told))[row]

    assert (made <= SEATS_OF_A_HALL).all()
    assert made.mean() > 0.85 * SEATS_OF_A_HALL


def test_nothing_after_the_origin_is_read_but_the_programme_that_is_told():
    panel = generated(told=4)
    days = 200
    before = box_office.forecast(panel.until(days))
    values = panel.values.copy()
    values[:, days:] = 999.0
    told = {name: one.copy() for name, one in panel.regressors.items()}
    for name in ("shows_matinee", "shows_evening", "shows_late", "seats"):
        told[name][:, days + 4 :] = 7.0
    after = box_office.forecast(replace(panel, values=values, regressors=told).until(days))

    assert before.tobytes() == after.tobytes()


def test_a_new_film_takes_week_and_fading_from_the_others():
    panel = generated(told=0)
    days = 7 * 35 + 3  # two films opened three days ago, in four cinemas
    view = panel.until(days)
    new = np.flatnonzero(view.first_index == days - 3)
    made = box_office.forecast(view)
    came = panel.values[new, days : days + 11]

    assert len(new) == 8
    assert (made[new] > 0).all()
    # Thursday to Saturday are known; repeating them would give each of the days their mean.
    repeated = np.abs(np.nanmean(view.values[new, -3:], axis=1)[:, None] - came).sum()
    assert np.abs(made[new, :11] - came).sum() < 0.6 * repeated


def test_a_film_before_its_release_is_not_forecast_and_one_that_has_ended_is_0():
    panel = generated(told=0)
    view = panel.until(200)
    made = box_office.forecast(view)
    unborn = view.first_index == 200
    ended = ~unborn & (np.nan_to_num(view.values[:, -14:]).sum(axis=1) == 0)

    assert unborn.any()
    assert np.isnan(made[unborn]).all()
    assert ended.any()
    assert (made[ended] == 0).all()


def test_without_a_programme_a_day_with_tickets_is_a_show():
    panel = generated()
    made = box_office.forecast(replace(panel, regressors={}))
    alive = np.nan_to_num(panel.values[:, -7:]).sum(axis=1) > 0

    assert (made[alive] > 0).any()
    assert (made[~alive & (panel.first_index < panel.day_count)] == 0).all()


def test_a_panel_without_a_ticket_is_0():
    panel = generated(days=28)
    made = box_office.forecast(replace(panel, values=np.zeros_like(panel.values)))

    assert (made == 0).all()


@pytest.fixture
def cinema() -> duckdb.DuckDBPyConnection:
    """Two cinemas, a film that runs on, one that ended, one of two days; shows sold ahead."""
    star = open_star()
    star.execute("create table core.dim_film (film_key bigint, sender varchar, film_code varchar, "
                 "name varchar)")  # fmt: skip
    star.execute("insert into core.dim_film select i, 'till', 'F' || i, 'Film ' || i "
                 "from range(1, 4) as r(i)")  # fmt: skip
    star.execute("create table core.dim_time_of_day (time_of_day_key bigint, hour integer)")
    star.execute("insert into core.dim_time_of_day values (-1, null), (15, 15), (19, 19), (22, 22)")
    star.execute(
        "create table core.fct_seat_occupancy (show_key bigint, film_key bigint, "
        "store_durable_key bigint, show_date date, time_of_day_key bigint, seat_class varchar, "
        "seat_count integer, sold_count integer)"
    )
    return star


def show(star, store: int, film: int, day: int, *, at: int, sold: int, seats: int | None = SEATS):
    """One show with its tickets, and the line by which the cinema is known to have traded."""
    key = ((day * 10 + store) * 10 + film) * 100 + at
    on = FIRST + timedelta(days=day)
    star.execute(
        "insert into core.fct_seat_occupancy values (?, ?, ?, ?, ?, 'standard', ?, ?)",
        [key, film, store, on, at, seats, sold],
    )
    if day < DAYS:
        closing = datetime.combine(on, time(21, 30), tzinfo=ZoneInfo(NEW_YORK))
        star.execute(
            "insert into core.fct_sales_line values (?, 'till', ?, ?, ?, ?, 1, 1, 1, ?, ?)",
            [key, on, closing, store, store, sold, sold * 9.5],
        )


def fill(star) -> None:
    for store in (1, 2):
        for day in range(DAYS + 3):  # three days are sold ahead
            show(star, store, 1, day, at=19, sold=40 + 20 * (day % 7 in (0, 1)))
        for day in range(70):
            show(star, store, 2, day, at=22, sold=max(90 - 10 * (day // 7), 5))
    for day in (DAYS - 2, DAYS - 1):
        show(star, 2, 3, day, at=15, sold=60, seats=None)


def defined(name: str) -> Definition:
    return {one.name: one for one in load_definitions()}[name]


def found(star, name: str) -> Reading:
    reading = read(star, defined(name))
    assert reading is not None
    return reading


def run(reading: Reading) -> Result:
    """By the cinema's own model alone: rows without chance repeat last week to the ticket."""
    return forecast_panel(
        reading.panel,
        steps(reading.definition, reading.sums()),
        smooth=reading.smooth,
        names=reading.definition.models[:1],
        windows=reading.definition.windows,
    )


def row(panel: Panel, name: str, key: str) -> np.ndarray:
    return panel.regressors[name][panel.keys.index(key)]


def test_shows_and_seats_are_read_by_slot_with_the_days_that_are_sold_ahead(cinema):
    fill(cinema)
    show(cinema, 1, 1, 0, at=15, sold=10, seats=50)
    reading = found(cinema, "box_office")
    panel = reading.panel

    assert reading.notes[-1].startswith("programme is told for 3 of 14 days ahead")
    assert panel.keys == (
        "film:till:F1", "film:till:F2", "film:till:F3", "film_store:till:S1:F1",
        "film_store:till:S1:F2", "film_store:till:S2:F1", "film_store:till:S2:F2",
        "film_store:till:S2:F3",
    )  # fmt: skip
    assert panel.origin_date == ORIGIN  # not the last day with a ticket
    assert row(panel, "shows_evening", "film:till:F1")[[0, DAYS + 2, DAYS + 3]].tolist() == [
        2,
        2,
        0,
    ]
    assert row(panel, "shows_matinee", "film_store:till:S1:F1")[:2].tolist() == [1, 0]
    assert row(panel, "shows_late", "film_store:till:S1:F2")[[0, 69, 70]].tolist() == [1, 1, 0]
    assert row(panel, "seats", "film_store:till:S1:F1")[:2].tolist() == [150, 100]
    assert row(panel, "seats", "film:till:F3")[DAYS - 1] == 0  # a hall that does not tell its seats
    assert (panel.regressors["programme_days"] == 3).all()


def test_weeks_are_counted_from_a_films_first_day_in_any_cinema(cinema):
    fill(cinema)
    show(cinema, 1, 3, DAYS - 9, at=19, sold=12)
    panel = found(cinema, "box_office").panel

    weeks = row(panel, "weeks_since_start", "film_store:till:S2:F3")
    assert weeks[[DAYS - 9, DAYS - 3, DAYS - 2, DAYS + 5]].tolist() == [0, 0, 1, 2]


def test_films_add_up_from_their_cinemas_within_the_seats(cinema):
    fill(cinema)
    reading = found(cinema, "box_office")
    result = run(reading)
    mean = dict(zip(reading.panel.keys, result.mean, strict=True))

    assert mean["film:till:F1"] == pytest.approx(
        mean["film_store:till:S1:F1"] + mean["film_store:till:S2:F1"], abs=1e-6
    )
    assert (mean["film_store:till:S1:F1"] <= SEATS).all()
    assert mean["film_store:till:S1:F1"].sum() == pytest.approx(12 * 40 + 2 * 60 + 2 * 20, rel=0.15)
    assert (mean["film:till:F2"] == 0).all()
    assert (mean["film_store:till:S2:F3"][3:7] > 0).all()


def test_admissions_add_up_from_the_cinemas(cinema):
    fill(cinema)
    reading = found(cinema, "admissions")

    assert reading.panel.keys == ("total", "store:till:S1", "store:till:S2")
    (one,) = reading.sums()
    assert one.complete.all()


@pytest.mark.parametrize("name", ["box_office", "admissions"])
def test_without_a_cinema_there_is_nothing_to_forecast_from(cinema, name):
    cinema.execute("insert into core.fct_sales_line values (1, 'till', '2024-01-05', "
                   "'2024-01-05 21:30:00-05', 1, 1, 1, 1, 1, 2, 5.0)")  # fmt: skip

    assert read(cinema, defined(name)) is None


def test_a_mart_that_was_never_built_is_no_error(cinema):
    fill(cinema)
    cinema.execute("drop table core.fct_seat_occupancy")

    assert read(cinema, defined("box_office")) is None
