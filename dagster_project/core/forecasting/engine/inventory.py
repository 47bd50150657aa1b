"""How much stock follows from a forecast: by the errors that the forecasts have made.

Belongs here: the possible sums of demand over some days, their quantiles, safety stock, reorder
point and order-up-to level. Does not: the forecasts, the back-test that measured their errors, nor
what an order costs.

The service level is the fill rate: the share of the units asked for that are sold from the shelf.
Lead time L and review period R are whole days: what is ordered in the morning can be sold from the
morning L days later on, and the next order is R days later; stock and orders on their way must so
last for L + R days. Unmet demand is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dagster_project.core.forecasting.engine.demand import as_well_known

OUTCOMES = 200  # possible sums of a series, equally likely: a target of .98 rests on four of them
RECENT = 2  # windows: how erratic demand is changes with the season
LEAST_SUMS = 200  # of a pool; with fewer the sums follow a negative binomial distribution
POOL_SUMS, MOST_POOLS = 1000, 40  # pools of about this many sums, or more of them
OWN_SALES = 60.0  # sales, at the units of a usual one, whose spread counts as much as all series'
HALVINGS = 14  # of the range of a level: .00006 of it
BLOCK = 256  # series at a time: their outcomes stay in the processor's cache
LOSS_PASSES = 3  # from the level for demand that waits to the one for demand that is lost
GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True)
class BackTest:
    """What was forecast at past origins and what came; returns count as no demand."""

    expected: np.ndarray  # (windows, N, H) amounts a day; NaN = no forecast
    actual: np.ndarray  # (windows, N, H) amounts a day; NaN = not known

    def __post_init__(self) -> None:
        """Raise ValueError when the two are not of one shape."""
        if self.expected.ndim != 3 or self.expected.shape != self.actual.shape:
            raise ValueError(f"{self.expected.shape} expected and {self.actual.shape} actual")

    @classmethod
    def of(
        cls, expected: np.ndarray, actual: np.ndarray, sold: np.ndarray, origins: Sequence[int]
    ) -> BackTest:
        """Of the two latest windows, latest first, and of series that were then as well known.

        ``sold`` (N, T) bool: days with demand; ``origins``: days of history before each window.
        """
        latest = origins[:RECENT]
        known = [as_well_known(sold, days)[:, None] for days in latest]
        expected, actual = expected[: len(latest)], actual[: len(latest)]
        return cls(np.where(np.reshape(known, (*expected.shape[:2], 1)), expected, np.nan), actual)


@dataclass(frozen=True)
class StockLevels:
    """(N,) each, in units of the forecast; NaN where a level cannot be said.

    ``reorder_point`` is for stock that is looked at every morning (a review period of one day):
    order when stock and orders on their way are at or below it. ``order_up_to`` is for orders every
    R days: order what stock and orders on their way lack of it.
    """

    lead_demand: np.ndarray  # expected in L days
    protected_demand: np.ndarray  # expected in L + R days
    safety_stock: np.ndarray  # order-up-to level less what is expected in L + R days
    reorder_point: np.ndarray
    order_up_to: np.ndarray


def stock_levels(
    forecast: np.ndarray,
    backtest: BackTest,
    lead_days: np.ndarray,
    review_days: np.ndarray,
    target: float,
) -> StockLevels:
    """Levels at which ``target`` of the units asked for are sold, from (N, H) a day's forecast.

    A negative day of the forecast counts as 0. A series has NaN where a day of L + R has no
    forecast, where L is no whole number from 0 on or R none from 1 on, and where L + R is longer
    than the horizon. Raises ValueError for a target that is not between 0 and 1.
    """
    if not 0.0 < target < 1.0:
        raise ValueError(f"a service level of {target}")
    sums = Sums(forecast, backtest)
    lead = np.asarray(lead_days, dtype=float)
    review = np.asarray(review_days, dtype=float)
    review = np.where((lead >= 0) & (review >= 1), review, np.nan)
    protected = sums.expected(lead + review)
    daily = np.where(np.isnan(protected), np.nan, 1.0)
    order_up_to = _level(sums, lead, review, target)
    return StockLevels(
        lead_demand=sums.expected(lead) * daily,
        protected_demand=protected,
        safety_stock=order_up_to - protected,
        reorder_point=_level(sums, lead, daily, target),
        order_up_to=order_up_to,
    )


def sum_quantiles(
    forecast: np.ndarray, backtest: BackTest, days: np.ndarray, shares: np.ndarray
) -> np.ndarray:
    """(N, shares) quantiles of the demand of the next ``days`` days, (N,) of each series.

    With one day, of tomorrow's demand. NaN as in ``stock_levels``.
    """
    outcomes = Sums(forecast, backtest).outcomes(np.asarray(days, dtype=float))
    places = np.ceil(np.asarray(shares) * OUTCOMES).astype(int) - 1
    return outcomes[:, np.clip(places, 0, OUTCOMES - 1)]


def whole_units(levels: np.ndarray) -> np.ndarray:
    """(N,) levels in whole units: up for as large a share of the series as the fraction says.

    Always rounding up would hold far more than the target asks for where a shop sells one a week;
    rounded so, many series together meet it. The same series are always rounded the same way.
    """
    return np.floor(levels + np.arange(1, len(levels) + 1) * GOLDEN % 1.0)


class Sums:
    """Possible sums of demand over the next days: the forecast's, and past errors of alike series.

    Errors are counted in standard deviations: the root of the expected sum times the series' ratio
    of squared error to expected amount, drawn to all series' ratio. Alike are series with as many
    expected units per ratio: the fewer, the more askew their errors.
    """

    def __init__(self, forecast: np.ndarray, backtest: BackTest) -> None:
        """Raise ValueError when the back-test is of other series."""
        if backtest.expected.shape[1] != len(forecast):
            raise ValueError(f"{backtest.expected.shape[1]} series, forecasts of {len(forecast)}")
        known = ~np.isnan(backtest.expected) & ~np.isnan(backtest.actual)
        self._forecast = np.maximum(forecast, 0.0)
        self._expected = np.where(known, np.maximum(backtest.expected, 0.0), np.nan)
        self._actual = np.where(known, np.maximum(backtest.actual, 0.0), np.nan)
        self._whole = bool((np.nan_to_num(backtest.actual) % 1.0 == 0.0).all())
        squared = np.nansum((self._actual - self._expected) ** 2, axis=2)
        units = np.nansum(self._expected, axis=2)
        # Nothing tried so far: as a Poisson count, whose variance is its mean.
        overall = squared.sum() / units.sum() if units.sum() > 0 and squared.sum() > 0 else 1.0
        self._ratio = _drawn(squared.sum(axis=0), units.sum(axis=0), overall)
        # Of the other windows: measured by its own luck no error would ever look large.
        self._others = _drawn(squared.sum(axis=0) - squared, units.sum(axis=0) - units, overall)

    def expected(self, days: np.ndarray) -> np.ndarray:
        """(N,) forecast of the next ``days`` days; NaN where it does not reach so far."""
        usable = (days >= 0) & (days <= self._forecast.shape[1]) & (days % 1 == 0)
        ahead = np.where(usable, days, 0).astype(int)
        running = np.pad(np.cumsum(self._forecast, axis=1), ((0, 0), (1, 0)))
        return np.where(usable, running[np.arange(len(running)), ahead], np.nan)

    def outcomes(self, days: np.ndarray) -> np.ndarray:
        """(N, 200) possible sums of the next ``days`` days in order, each as likely."""
        expected = self.expected(days)
        result = np.full((len(days), OUTCOMES), np.nan)
        for span in np.unique(days[~np.isnan(expected)]).astype(int):
            rows = np.flatnonzero((days == span) & ~np.isnan(expected))
            result[rows] = self._of_span(span, rows, expected[rows])
        return result

    def _of_span(self, span: int, rows: np.ndarray, expected: np.ndarray) -> np.ndarray:
        if span == 0:
            return np.zeros((len(rows), OUTCOMES))
        ratio = self._ratio[rows]
        due, came = _blocks(self._expected, span), _blocks(self._actual, span)
        spread = np.broadcast_to(self._others[:, :, None], due.shape)
        counted = due > 0
        due, came, spread = due[counted], came[counted], spread[counted]
        if len(due) < LEAST_SUMS:
            return _negative_binomial(expected, np.maximum(ratio, 1.0 + 1e-6))
        shape, errors = due / spread, (came - due) / np.sqrt(spread * due)
        order = np.argsort(shape, kind="stable")
        shape, errors = shape[order], errors[order]
        pools = min(max(1, len(due) // POOL_SUMS), MOST_POOLS)
        edges = shape[np.arange(1, pools) * len(shape) // pools]
        edges = np.unique(edges[edges < shape[-1]])  # series that are all alike are one pool
        ends = np.searchsorted(shape, edges, side="right")
        scores = np.stack([_slices(pool) for pool in np.split(errors, ends)])
        own = scores[np.searchsorted(edges, expected / ratio)]
        sums = np.maximum(expected[:, None] + np.sqrt(ratio * expected)[:, None] * own, 0.0)
        return np.rint(sums) if self._whole else sums


def _level(sums: Sums, lead: np.ndarray, review: np.ndarray, target: float) -> np.ndarray:
    """(N,) least level of which ``target`` of the demand of R days is met, L days later."""
    before, early, later = _courses(sums, lead, review)
    whole_review = lead >= review
    level = np.empty(len(lead))
    for start in range(0, len(lead), BLOCK):
        rows = slice(start, start + BLOCK)
        level[rows] = _lossy_level(
            before[rows], early[rows], later[rows], whole_review[rows], target
        )
    return level


def _lossy_level(
    before: np.ndarray,
    early: np.ndarray,
    later: np.ndarray,
    whole_review: np.ndarray,
    target: float,
) -> np.ndarray:
    """(n,) level where demand that is not met is lost; NaN where an outcome is."""
    allowed = (1.0 - target) * later.mean(axis=1)
    # Over a whole review period and more, as much goes unmet in L days as the target allows.
    least = np.where(whole_review, (1.0 - target) * early.mean(axis=1), 0.0)
    level = _meeting(early, later, allowed)
    for _ in range(LOSS_PASSES):
        # What was not met in the L days is lost and leaves the shelf fuller: no more is sold in
        # them than was there or on its way, the level less what the R days before have sold.
        there = np.maximum(level[:, None] - target * before, 0.0)
        lost = np.maximum(early - there, 0.0)
        raised = np.maximum(_share(least, lost.mean(axis=1)), 1.0)
        level = _meeting(np.maximum(early - raised[:, None] * lost, 0.0), later, allowed)
    return np.where(np.isnan(allowed), np.nan, level)


def _meeting(sold: np.ndarray, later: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """(n,) least level that, ``sold`` of it gone, leaves ``allowed`` units of ``later`` unmet."""
    total = sold + later
    low, high = np.zeros(len(sold)), total.max(axis=1)
    unmet = np.empty(total.shape)
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        np.subtract(total, middle[:, None], out=unmet)
        np.maximum(unmet, 0.0, out=unmet)
        np.minimum(unmet, later, out=unmet)
        enough = unmet.sum(axis=1) <= allowed * OUTCOMES
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high


def _courses(
    sums: Sums, lead: np.ndarray, review: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, 200) demand of the R days before an order, the L days after it and the R after those.

    The L days belong to the outcome of L + R days as independent days would: by a normal copula
    whose correlation is the root of their share. The R days before are of another outcome, and
    as busy as the last: an order before a promotion is not one in the middle of it.
    """
    from scipy.special import ndtr, ndtri

    total = sums.outcomes(lead + review)
    ranks = (np.arange(OUTCOMES) + 0.5) / OUTCOMES
    mixed = np.arange(1, OUTCOMES + 1) * GOLDEN % 1.0
    share = np.nan_to_num(_share(sums.expected(lead), sums.expected(lead + review)))[:, None]
    normal = np.sqrt(share) * ndtri(ranks) + np.sqrt(1.0 - share) * ndtri(mixed)
    places = np.minimum((ndtr(normal) * OUTCOMES).astype(int), OUTCOMES - 1)
    early = np.minimum(np.take_along_axis(sums.outcomes(lead), places, axis=1), total)
    later = total - early
    other = np.argsort(np.arange(1, OUTCOMES + 1) * np.sqrt(2.0) % 1.0)
    before = sums.outcomes(review)[:, other]
    as_busy = _share(later.mean(axis=1), before.mean(axis=1))
    return before * as_busy[:, None], early, later


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """(N,) quotient; 0 where there is nothing to divide by."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _drawn(squared: np.ndarray, units: np.ndarray, overall: float) -> np.ndarray:
    """Squared error per expected unit, drawn to the overall one."""
    weight = OWN_SALES * overall
    return (squared + weight * overall) / (units + weight)


def _blocks(amounts: np.ndarray, span: int) -> np.ndarray:
    """(windows, N, blocks) sums of ``span`` days each, side by side in the horizon."""
    windows, series, days = amounts.shape
    blocks = days // span
    return amounts[..., : blocks * span].reshape(windows, series, blocks, span).sum(axis=3)


def _slices(errors: np.ndarray) -> np.ndarray:
    """(200,) means of equal shares of the errors in order; one error may lie in two of them."""
    running = np.concatenate([[0.0], np.cumsum(np.sort(errors))])
    places = np.linspace(0.0, len(errors), OUTCOMES + 1)
    return np.diff(np.interp(places, np.arange(len(running)), running)) * OUTCOMES / len(errors)


def _negative_binomial(expected: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """(n, 200) quantiles of counts with this mean and ratio of variance to mean, above 1."""
    from scipy.stats import nbinom

    middles = (np.arange(OUTCOMES) + 0.5) / OUTCOMES
    counts = np.maximum(expected, 1e-9) / (ratio - 1.0)
    return nbinom.ppf(middles[None, :], counts[:, None], 1.0 / ratio[:, None])
