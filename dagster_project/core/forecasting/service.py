"""Forecast every series of the warehouse and keep the result.

Belongs here: the order of the steps, and what happens to a series that fails. One process, one
thread: a fit takes about a millisecond, a second process takes seconds to start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import duckdb
import numpy as np

from dagster_project.core.forecasting import tables
from dagster_project.core.forecasting.accuracy import (
    Choice,
    choose,
    scores,
    segment_of,
    series_reason,
    value_added,
)
from dagster_project.core.forecasting.backtest import (
    MODELS,
    SEASONAL_NAIVE,
    WEEKDAY_MEAN,
    WINDOW_COUNT,
    SeriesForecast,
    forecast_series,
)
from dagster_project.core.forecasting.events import event_rows
from dagster_project.core.forecasting.intervals import Intervals, intervals
from dagster_project.core.forecasting.panel import (
    HORIZON_DAYS,
    Panel,
    SalesSeries,
    read_panel,
)
from dagster_project.core.forecasting.prophet_model import (
    YEARLY_FROM_DAYS,
    Design,
    Specification,
    build_design,
)
from dagster_project.core.home import Settings

Progress = Callable[[int, int], None]  # series done, series in all


@dataclass(frozen=True)
class ForecastOutcome:
    """What one run did."""

    origin_date: date | None  # None when there was nothing to forecast from
    series_count: int
    forecast_count: int
    stale_count: int  # failed, but an earlier forecast is kept
    failed: tuple[tuple[str, str], ...]  # series key and why, stale ones included
    chosen_models: tuple[tuple[str, int], ...]  # model and number of series that use it
    row_counts: tuple[tuple[str, int], ...]  # table and rows written


@dataclass(frozen=True)
class _Results:
    """Everything of one run that goes into the tables."""

    panel: Panel
    made: tuple[SeriesForecast, ...]
    failed: dict[str, str]
    choices: dict[tuple[str, str], Choice]
    bands: Intervals
    currency_code: str

    def choice(self, one: SeriesForecast) -> Choice:
        return self.choices[segment_of(one)]


def forecast_sales(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    *,
    on_progress: Progress | None = None,
) -> ForecastOutcome:
    """Forecast the 28 days after the last complete business day for every series with a history.

    Reads core marts only; replaces schema ``forecast`` in one transaction. A series that fails is
    reported and keeps its last good forecast. Without sales the tables are left empty.
    """
    panel = read_panel(connection)
    if panel is None:
        tables.replace_all(connection, tables.empty_rows())
        return ForecastOutcome(None, 0, 0, 0, (), (), ())
    made, failed = _forecast_all(panel, Specification(), on_progress)
    results = _Results(
        panel=panel,
        made=made,
        failed=failed,
        choices=_choices(made),
        bands=intervals(made),
        currency_code=settings.reporting_currency,
    )
    kept = tables.kept_rows(connection, sorted(failed))
    rows = _rows(results, kept)
    tables.replace_all(connection, rows)
    return _outcome(results, rows)


def panel_fingerprint(connection: duckdb.DuckDBPyConnection) -> str:
    """Changes when, and only when, a forecast could: its data, its code or its libraries.

    64 hexadecimal digits. Reads core marts only.
    """
    digest = sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    for library in ("prophet", "numpy", "scipy", "pandas"):
        digest.update(f"{library} {version(library)}\n".encode())
    panel = read_panel(connection)
    if panel is not None:
        # A set is written in another order by every process.
        calendar = [{**vars(day), "holidays": sorted(day.holidays)} for day in panel.calendar]
        digest.update(f"{panel.first_date} {panel.origin_date} {calendar}\n".encode())
        for sender, days in panel.promotions.items():
            digest.update(sender.encode() + days.tobytes())
        for one in panel.series:
            described = {k: v for k, v in vars(one).items() if k != "amounts"}
            digest.update(repr(described).encode() + one.amounts.tobytes())
    return digest.hexdigest()


def _forecast_all(
    panel: Panel, spec: Specification, on_progress: Progress | None
) -> tuple[tuple[SeriesForecast, ...], dict[str, str]]:
    designs: dict[tuple[tuple[str, ...], bytes], Design] = {}
    made, failed = [], {}
    for done, series in enumerate(panel.series, start=1):
        promoted = panel.promoted(series)
        known = (series.countries, promoted.tobytes())
        if known not in designs:
            designs[known] = _design(panel, series.countries, promoted, spec)
        try:
            made.append(forecast_series(series, panel, designs[known], spec))
        except (ValueError, ArithmeticError) as error:  # linear algebra raises ValueError too
            failed[series.key] = f"{type(error).__name__}: {error}"
        if on_progress is not None:
            on_progress(done, len(panel.series))
    return tuple(made), failed


def _design(
    panel: Panel, countries: tuple[str, ...], promoted: np.ndarray, spec: Specification
) -> Design:
    tested = panel.day_count - WINDOW_COUNT * HORIZON_DAYS
    return build_design(
        panel.first_date,
        promoted,
        events=event_rows(countries, panel.calendar),
        feasts=panel.feasts(countries),
        yearly=tested >= YEARLY_FROM_DAYS,
        spec=spec,
    )


def _choices(made: tuple[SeriesForecast, ...]) -> dict[tuple[str, str], Choice]:
    segments = sorted({segment_of(one) for one in made})
    return {
        segment: choose([one for one in made if segment_of(one) == segment]) for segment in segments
    }


def _outcome(results: _Results, rows: tables.Rows) -> ForecastOutcome:
    chosen = [results.choice(one).model for one in results.made]
    return ForecastOutcome(
        origin_date=results.panel.origin_date,
        series_count=len(results.panel.series),
        forecast_count=len(results.made),
        stale_count=sum(row[8] == "stale" for row in rows["series"]),
        failed=tuple(sorted(results.failed.items())),
        chosen_models=tuple((m, chosen.count(m)) for m in MODELS if m in chosen),
        row_counts=tuple((table, len(found)) for table, found in rows.items()),
    )


def _rows(results: _Results, kept: tables.Rows) -> tables.Rows:
    """Rows of all tables: this run's, and for failed series what they had."""
    rows = tables.empty_rows()
    for table in ("daily", "backtest", "accuracy"):
        rows[table] += kept[table]
    rows["series"] += _failed_series(results, kept)
    rows["actual"] += [row for s in results.panel.series for row in _actual(results.panel, s)]
    for one in results.made:
        rows["series"].append(_series_row(results, one))
        rows["daily"] += _daily(results, one)
        rows["backtest"] += _backtest(results.panel, one)
        rows["accuracy"] += _accuracy(results, one)
    return rows


def _described(panel: Panel, series: SalesSeries) -> tables.Row:
    traded = int((~np.isnan(series.amounts)).sum())
    first = panel.day(min(series.first_index, panel.day_count - 1))
    names = (series.key, series.level, series.member_code, series.member_name, series.banner)
    return (*names, first, panel.origin_date, traded)


def _series_row(results: _Results, one: SeriesForecast) -> tables.Row:
    origin = results.panel.origin_date
    state = ("forecast", results.choice(one).model, origin, 0, None, results.currency_code)
    return (*_described(results.panel, one.series), *state)


def _failed_series(results: _Results, kept: tables.Rows) -> list[tables.Row]:
    """Rows of series without a new forecast, with the age of the one they keep, if any."""
    panel = results.panel
    earlier: Mapping[str, tuple[str, date]] = {
        row[0]: (row[4], row[1])
        for row in kept["daily"]  # model and origin
    }
    found = []
    for series in panel.series:
        if series.key not in results.failed:
            continue
        model, origin = earlier.get(series.key, (None, None))
        age = None if origin is None else (panel.origin_date - origin).days
        status = "failed" if origin is None else "stale"
        state = (status, model, origin, age, results.failed[series.key], results.currency_code)
        found.append((*_described(panel, series), *state))
    return found


def _actual(panel: Panel, series: SalesSeries) -> list[tables.Row]:
    days = np.flatnonzero(~np.isnan(series.amounts)).tolist()
    return [(series.key, panel.day(n), float(series.amounts[n])) for n in days]


def _daily(results: _Results, one: SeriesForecast) -> list[tables.Row]:
    origin, model = results.panel.origin_date, results.choice(one).model
    place = MODELS.index(model)
    mean = one.final[place].tolist()
    bands = results.bands.final[one.series.key][place].T.tolist()
    return [
        (
            one.series.key,
            origin,
            origin + timedelta(days=n + 1),
            n + 1,
            model,
            mean[n],
            *bands[n],
            bool(one.closed[n]),
        )
        for n in range(HORIZON_DAYS)
    ]


def _backtest(panel: Panel, one: SeriesForecast) -> list[tables.Row]:
    rows = []
    for window, length in enumerate(one.origins):
        origin = panel.day(length - 1)
        for n in np.flatnonzero(~np.isnan(one.actual[window])).tolist():
            day, actual = origin + timedelta(days=n + 1), float(one.actual[window, n])
            for place, model in enumerate(MODELS):
                value = float(one.backtest[window, place, n])
                rows.append((one.series.key, origin, day, n + 1, model, actual, value))
    return rows


def _accuracy(results: _Results, one: SeriesForecast) -> list[tables.Row]:
    found, choice, key = scores(one), results.choice(one), one.series.key
    reason = series_reason(choice, found)
    return [
        (
            key,
            model,
            len(one.origins),
            score.day_count,
            score.wape,
            score.bias,
            float(results.bands.covered_80[key][place]),
            float(results.bands.covered_95[key][place]),
            value_added(found, model, SEASONAL_NAIVE),
            value_added(found, model, WEEKDAY_MEAN),
            model == choice.model,
            reason if model == choice.model else "",
        )
        for place, (model, score) in enumerate(found.items())
    ]
