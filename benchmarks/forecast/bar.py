"""What the forecasts are asked to reach, and whether they do.

The bar is the design's; each line names the panel that it was measured on. Ratios are of one run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.forecast.measure import OURS, Speed
from benchmarks.forecast.scoring import Score

Panels = Mapping[str, Mapping[str, Score]]

FULL, STOCK, LIGHTGBM = "stock_prophet_full", "stock_prophet", "mlforecast_lightgbm"
INTERMITTENT = ("sf_adida", "sf_imapa", "sf_croston_sba", "sf_ses", "sf_ses_optimized")
STORES = ("drugstores", "journey_stores")
DAILY = (*STORES, "journey_departments")


@dataclass(frozen=True)
class Asked:
    """A figure and its bounds: from ``low`` (if any) to ``high``, strictly or at best."""

    text: str
    must: tuple[float, float]
    stretch: tuple[float, float]
    unit: str = ""  # "%" prints shares as per cent


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    asked: Asked
    panel: str
    measured: float

    @property
    def verdict(self) -> str:
        """stretch, met or missed."""
        for word, (low, high) in (("stretch", self.asked.stretch), ("met", self.asked.must)):
            if low <= self.measured <= high:
                return word
        return "missed"


STORE_FULL = Asked("store WAPE / stock Prophet + holidays + promo", (0, 0.80), (0, 0.74))
STORE_MEAN = Asked("store WAPE / weekday × promo mean", (0, 0.83), (0, 0.77))
STORE_TREES = Asked("store WAPE / mlforecast + LightGBM", (0, 0.94), (0, 0.90))
TOTAL = Asked(
    "total WAPE by adding up / stock Prophet + holidays + promo, added up", (0, 0.65), (0, 0.55)
)
BIAS = Asked("bias, absolute", (0, 0.015), (0, 0.01), "%")
SKU = Asked("SKU × store RMSSE / best of ADIDA, IMAPA, Croston-SBA, SES", (0, 1.0), (0, 0.975))
COVER80 = Asked("80 % interval covers", (0.78, 0.82), (0.79, 0.81), "%")
COVER95 = Asked("95 % interval covers", (0.94, 0.96), (0.945, 0.955), "%")
WELL = Asked("series whose 80 % interval covers 70-90 %", (0.85, 1), (0.92, 1), "%")
CPU = Asked("Prophet batch CPU / stock fit + predict", (0, 1 / 25), (0, 1 / 50))
SECONDS = Asked("1,000 series × 2.5 years with intervals, one core, seconds", (0, 10), (0, 3))
FEASTS = Asked("lunar-feast weeks, WAPE / plain Prophet", (0, 0.5), (0, 0.35))
# No line of the design's, but the same question: feasts that keep their Gregorian day.
SALES_DAYS = Asked("weeks of 618 and Double 11, WAPE / plain Prophet", (0, 0.5), (0, 0.35))
SOLD_OUT = Asked("bias where a fifth of the days is sold out", (0, 0.015), (0, 0.007), "%")


def lines(
    panels: Panels, *, speed: Speed | None = None, prophet_ms: float | None = None
) -> list[Line]:
    """Every line that the measured panels allow."""
    found = [*_ratios(panels), *_shares(panels), *_special(panels)]
    stock = panels.get("drugstores", {}).get(STOCK)
    if prophet_ms is not None and stock is not None and stock.cpu_ms:
        found.append(Line(CPU, "drugstores", prophet_ms / stock.cpu_ms))
    if speed is not None:
        found.append(Line(SECONDS, "drugstores × 20", speed.prophet_seconds))
    return found


def _ratios(panels: Panels) -> list[Line]:
    """Our error as a share of another's, where both are there."""
    wanted: tuple[tuple[Asked, str, Callable[[Score], float]], ...] = (
        (STORE_FULL, FULL, lambda one: one.wape),
        (STORE_MEAN, "weekday_promotion_mean", lambda one: one.wape),
        (STORE_TREES, LIGHTGBM, lambda one: one.wape),
        (TOTAL, FULL, lambda one: one.total_wape),
    )
    return [
        Line(asked, name, of(panels[name][OURS]) / of(panels[name][other]))
        for asked, other, of in wanted
        for name in STORES
        if {OURS, other} <= set(panels.get(name, {}))
    ]


def _shares(panels: Panels) -> list[Line]:
    """Bias and coverage of our own."""
    found = []
    for name in (one for one in DAILY if OURS in panels.get(one, {})):
        ours = panels[name][OURS]
        found.append(Line(BIAS, name, abs(ours.bias)))
        covers = (
            (COVER80, ours.cover80),
            (COVER95, ours.cover95),
            (WELL, ours.series_well_covered),
        )
        found += [Line(asked, name, value) for asked, value in covers if value is not None]
    return found


def _special(panels: Panels) -> list[Line]:
    """Intermittent demand, feasts, sold-out days."""
    found = []
    skus = panels.get("journey_skus", {})
    rivals = [skus[name].rmsse or 0.0 for name in INTERMITTENT if name in skus]
    if OURS in skus and rivals and skus[OURS].rmsse:
        found.append(Line(SKU, "journey_skus", skus[OURS].rmsse / min(rivals)))
    weeks = {"spring_festival": FEASTS, "nowruz": FEASTS, "sales_days": SALES_DAYS}
    for name, asked in weeks.items():
        scores = panels.get(name, {})
        if {OURS, STOCK} <= set(scores) and scores[STOCK].feast_wape:
            ratio = (scores[OURS].feast_wape or 0.0) / scores[STOCK].feast_wape
            found.append(Line(asked, name, ratio))
    if OURS in panels.get("sold_out", {}):
        found.append(Line(SOLD_OUT, "sold_out", abs(panels["sold_out"][OURS].bias)))
    return found
