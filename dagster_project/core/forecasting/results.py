"""What one forecast's run gives the tables.

Belongs here: rows from arrays. Does not: making the forecast, writing the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dagster_project.core.forecasting import tables
from dagster_project.core.forecasting.definitions import Definition, Inventory
from dagster_project.core.forecasting.engine.choice import published_scores
from dagster_project.core.forecasting.engine.intervals import PROBABILITIES
from dagster_project.core.forecasting.engine.inventory import BackTest, stock_levels, whole_units
from dagster_project.core.forecasting.engine.models import NAIVE, NAIVE_14, WEEKDAY_MEAN
from dagster_project.core.forecasting.engine.run import EMPTY, Group, Result
from dagster_project.core.forecasting.reading import Reading

if TYPE_CHECKING:
    import pandas as pd

PUBLISHED = "published"
KEPT_MODELS = (WEEKDAY_MEAN, NAIVE)  # beside what is published, in the back-test's rows
DAILY_SERIES = 1000  # of a level; days of more series than that are told in sums only
STALE, FAILED = "stale", "failed"
NO_DAYS = "no day with a value to learn from"
CURRENCY = "reporting_currency"


def key_of(definition: Definition, key: str) -> str:
    """The series' key in the tables: two forecasts may have a series of the same name."""
    return f"{definition.name}/{key}"


def failed_keys(reading: Reading, result: Result) -> list[str]:
    """Series without a new forecast."""
    rows = np.flatnonzero(np.isnan(result.mean).any(axis=1))
    return [key_of(reading.definition, reading.members[n].key) for n in rows]


def frames(reading: Reading, result: Result, currency: str, kept: tables.Frames) -> tables.Frames:
    """Rows of all tables: this run's, and for series that failed what they had."""
    keys = np.array([key_of(reading.definition, one.key) for one in reading.members], dtype=object)
    made = {
        "series": _series(reading, result, keys, currency, kept),
        "actual": _actual(reading, result, keys),
        "daily": _daily(result, keys),
        "backtest": _backtest(reading, result, keys),
        "accuracy": _accuracy(result, keys),
        "replenishment": _replenishment(reading, result, keys),
    }
    return tables.joined([made, {name: one for name, one in kept.items() if name != "series"}])


def _frame(table: str, columns: dict[str, object]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(columns)[list(tables.TABLES[table])]


def _dates(result: Result, days: np.ndarray) -> np.ndarray:
    return np.datetime64(result.panel.first_date, "s") + days * np.timedelta64(86400, "s")


def _series(
    reading: Reading, result: Result, keys: np.ndarray, currency: str, kept: tables.Frames
) -> pd.DataFrame:
    definition, members = reading.definition, reading.members
    columns = {
        "series_key": keys,
        "forecast": definition.name,
        "level": [one.level for one in members],
        "member_code": [one.member_code for one in members],
        "member_name": [one.member_name for one in members],
        "banner": [one.banner for one in members],
        "demand_class": result.demand,
        "unit": definition.unit,
        "currency_code": currency if definition.unit == CURRENCY else None,
    }
    return _frame("series", columns | _state(result, keys, kept) | _quality(result))


def _state(result: Result, keys: np.ndarray, kept: tables.Frames) -> dict[str, object]:
    """What became of each series, and the age of the forecast it has."""
    import pandas as pd

    panel = result.panel
    known = ~np.isnan(panel.values)
    failed = np.isnan(result.mean).any(axis=1)
    earlier = kept["daily"].drop_duplicates("series_key").set_index("series_key")
    old = earlier.reindex(keys)[["model", "origin_date"]]
    origin = pd.Timestamp(panel.origin_date)
    dates = pd.to_datetime(old["origin_date"].to_numpy())
    made = pd.Series(np.where(failed, dates, np.datetime64(origin, "ns")))
    stale = failed & old["model"].notna().to_numpy()
    first = _dates(result, np.minimum(panel.first_index, panel.day_count - 1))
    return {
        "first_date": np.where(known.any(axis=1), first, np.datetime64("NaT")),
        "last_date": np.datetime64(panel.origin_date, "s"),
        "day_count": known.sum(axis=1),
        "status": np.where(stale, STALE, np.where(failed, FAILED, result.outcome)),
        "model": np.where(failed, old["model"].to_numpy(), result.model),
        "reason": np.where(failed, None, result.reason),
        "origin_date": made.to_numpy(),
        "forecast_age_days": (origin - made).dt.days.astype("Int64"),
        "error": np.where(failed, NO_DAYS, None),
    }


def _quality(result: Result) -> dict[str, object]:
    """How well what would have been published went at the past origins."""
    score = published_scores(result.panel, result.past, result.actual)
    return {
        "window_count": score.window_count,
        "wape": score.wape[0],
        "bias": score.bias[0],
        "rmsse": score.rmsse[0],
        "coverage_80": result.bands.covered_80,
        "coverage_95": result.bands.covered_95,
        "value_added_naive": _added(result, score.wape[0], NAIVE),
        "value_added_naive_14": _added(result, score.wape[0], NAIVE_14),
        "value_added_weekday": _added(result, score.wape[0], WEEKDAY_MEAN),
    }


def _added(result: Result, wape: np.ndarray, baseline: str) -> np.ndarray:
    """(N,) share by which what is published errs less than a baseline."""
    base = np.full(len(wape), np.nan)
    for group in result.groups:
        if baseline in group.test.models:
            base[group.rows] = group.scores.wape[group.test.models.index(baseline)]
    return 1 - np.divide(wape, base, out=np.full(len(wape), np.nan), where=base > 0)


def _told_by_day(reading: Reading) -> np.ndarray:
    """(N,) bool: series of the levels that are small enough to be told day by day."""
    levels = np.array([one.level for one in reading.members])
    names, counts = np.unique(levels, return_counts=True)
    return np.isin(levels, names[counts <= DAILY_SERIES])


def _actual(reading: Reading, result: Result, keys: np.ndarray) -> pd.DataFrame:
    rows, days = np.nonzero(~np.isnan(result.panel.values) & _told_by_day(reading)[:, None])
    return _frame(
        "actual",
        {
            "series_key": keys[rows],
            "business_date": _dates(result, days),
            "actual_value": result.panel.values[rows, days],
        },
    )


def _daily(result: Result, keys: np.ndarray) -> pd.DataFrame:
    panel = result.panel
    made = np.broadcast_to(~np.isnan(result.mean).any(axis=1)[:, None], result.mean.shape)
    rows, steps = np.nonzero(made)
    return _frame(
        "daily",
        {
            "series_key": keys[rows],
            "origin_date": np.datetime64(panel.origin_date, "s"),
            "target_date": _dates(result, panel.day_count + steps),
            "horizon_days": steps + 1,
            "model": result.model[rows],
            "mean_value": result.mean[rows, steps],
            **{
                quantile_column(one): result.bands.final[rows, place, steps]
                for place, one in enumerate(PROBABILITIES)
            },
            "is_closed": panel.closed[rows, panel.day_count + steps],
        },
    )


def quantile_column(probability: float) -> str:
    """``p2_5_value`` for 0.025."""
    return f"p{100 * probability:g}_value".replace(".", "_")


def _backtest(reading: Reading, result: Result, keys: np.ndarray) -> pd.DataFrame:
    import pandas as pd

    told = _told_by_day(reading)
    parts = [_backtest_of(result, keys, PUBLISHED, result.past, told)]
    for model in KEPT_MODELS:
        past = np.full(result.past.shape, np.nan)
        for group in result.groups:
            if model in group.test.models:
                past[:, group.rows] = group.test.past[:, group.test.models.index(model)]
        parts.append(_backtest_of(result, keys, model, past, told))
    return pd.concat(parts, ignore_index=True)


def _backtest_of(
    result: Result, keys: np.ndarray, model: str, past: np.ndarray, told: np.ndarray
) -> pd.DataFrame:
    judged = ~np.isnan(result.actual) & ~np.isnan(past) & told[None, :, None]
    windows, rows, steps = np.nonzero(judged)
    origins = np.array(result.origins, dtype=int)[windows]
    return _frame(
        "backtest",
        {
            "series_key": keys[rows],
            "origin_date": _dates(result, origins - 1),
            "target_date": _dates(result, origins + steps),
            "horizon_days": steps + 1,
            "model": model,
            "actual_value": result.actual[windows, rows, steps],
            "forecast_value": past[windows, rows, steps],
        },
    )


def _accuracy(result: Result, keys: np.ndarray) -> pd.DataFrame:
    import pandas as pd

    return pd.concat([_accuracy_of(one, keys) for one in result.groups], ignore_index=True)


def _accuracy_of(group: Group, keys: np.ndarray) -> pd.DataFrame:
    models = np.array(group.test.models, dtype=object)
    count = len(group.rows)
    return _frame(
        "accuracy",
        {
            "series_key": np.tile(keys[group.rows], len(models)),
            "model": np.repeat(models, count),
            "window_count": np.tile(group.scores.window_count, len(models)),
            "day_count": np.tile(group.scores.day_count, len(models)),
            "wape": group.scores.wape.ravel(),
            "bias": group.scores.bias.ravel(),
            "rmsse": group.scores.rmsse.ravel(),
            "is_chosen": (np.arange(len(models))[:, None] == group.chosen()).ravel(),
        },
    )


def _replenishment(reading: Reading, result: Result, keys: np.ndarray) -> pd.DataFrame:
    import pandas as pd

    parts = [_frame("replenishment", {name: [] for name in tables.TABLES["replenishment"]})]
    for level in reading.definition.series:
        if level.inventory is None:
            continue
        rows = np.array(
            [
                n
                for n, one in enumerate(reading.members)
                if one.level == level.level and not one.is_rest and result.outcome[n] != EMPTY
            ],
            dtype=int,
        )
        if len(rows):
            parts.append(_stock(result, keys, rows, level.inventory))
    return pd.concat([one for one in parts if len(one)] or parts, ignore_index=True)


def _stock(result: Result, keys: np.ndarray, rows: np.ndarray, asked: Inventory) -> pd.DataFrame:
    """Levels for what is kept in stores; lead and review times as declared."""
    lead = np.full(len(rows), asked.lead_days)
    review = np.full(len(rows), asked.review_days)
    sold = result.panel.values[rows] > 0
    past = BackTest.of(result.past[:, rows], result.asked[:, rows], sold, result.origins)
    found = stock_levels(result.mean[rows], past, lead, review, asked.service_level)
    reorder, up_to = whole_units(found.reorder_point), whole_units(found.order_up_to)
    return _frame(
        "replenishment",
        {
            "series_key": keys[rows],
            "origin_date": np.datetime64(result.panel.origin_date, "s"),
            "lead_days": lead,
            "review_days": review,
            "service_level": asked.service_level,
            "lead_demand_quantity": found.lead_demand,
            "protected_demand_quantity": found.protected_demand,
            "safety_stock_quantity": found.safety_stock,
            "reorder_point_quantity": reorder,
            # Where sales are lumps the share of a day's units asks for more than that of a week's:
            # an order that does not reach the reorder point would be placed again every day.
            "order_up_to_quantity": np.fmax(up_to, reorder),
        },
    )
