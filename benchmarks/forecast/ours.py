"""Our own forecasts of a panel, as a refresh makes them.

Belongs here: nothing but the call; back-test, choice and intervals are the product's.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dagster_project.core.forecasting.engine.intervals import PROBABILITIES
from dagster_project.core.forecasting.engine.panel import Panel
from dagster_project.core.forecasting.engine.run import Result, forecast_panel


def forecasts(panel: Panel) -> Mapping[str, np.ndarray]:
    """(N, H) means by name: what would be published, and each model that was tried alone."""
    result = run(panel)
    made = {"ours": result.mean}
    for group in result.groups:
        for place, model in enumerate(group.test.models):
            one = made.setdefault(model, np.full(result.mean.shape, np.nan))
            one[group.rows] = group.test.final[place]
    return made


def intervals(panel: Panel) -> tuple[tuple[float, ...], np.ndarray]:
    """Probabilities and (N, P, H) quantiles of what would be published."""
    return PROBABILITIES, run(panel).bands.final


_KEPT: dict[int, tuple[Panel, Result]] = {}  # with its panel, so that the number stays its own


def run(panel: Panel) -> Result:
    """The whole run; the last one is kept, as means and intervals are asked for one by one."""
    if id(panel) not in _KEPT:
        _KEPT.clear()
        _KEPT[id(panel)] = (panel, forecast_panel(panel))
    return _KEPT[id(panel)][1]
