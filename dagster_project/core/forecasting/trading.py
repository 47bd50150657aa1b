"""On which days a store was open: on those with a sale, and in a quiet one on others too.

Belongs here: telling a closed day from an open one without a receipt. Does not: sums, series.
"""

from __future__ import annotations

import numpy as np

WEEK = 7
QUIET_SHARE = 0.1  # of its usual days without a receipt: such a shop is quiet, not closed
USUAL_SHARE = 1 / 3  # of the busiest weekday: a weekday traded less often is one of rest
LONG_GAP = 14  # days; a shop that is closed that long in between is not quiet for that
ALIVE_DAYS = 56  # a shop without a receipt for eight weeks has ended with its last one


def open_days(traded: np.ndarray, weekday: int) -> np.ndarray:
    """(n, T) bool: days on which each store could have sold, from those on which it did.

    ``weekday`` of the first day, Monday = 0. A store that has a receipt on nearly every day that
    is usual for it was closed on the others. One that is without on more than a tenth of them is
    quiet: its usual weekdays between its first and last receipt were open, days of no trade.
    """
    result = traded.copy()
    anywhere = traded.any(axis=0)
    weekdays = (np.arange(traded.shape[1]) + weekday) % WEEK
    for n in np.flatnonzero(traded.any(axis=1)):
        days = np.flatnonzero(traded[n])
        end = traded.shape[1] if traded.shape[1] - 1 - days[-1] < ALIVE_DAYS else days[-1] + 1
        span = slice(days[0], end)
        usual = _usual_weekdays(traded[n, span], weekdays[span])[weekdays[span]] & anywhere[span]
        if _is_quiet(traded[n, span], usual):
            result[n, span] |= usual
    return result


def _usual_weekdays(traded: np.ndarray, weekdays: np.ndarray) -> np.ndarray:
    """(7,) bool: weekdays traded at least a third as often as the busiest one."""
    count = np.bincount(weekdays, traded, WEEK)
    share = count / np.maximum(np.bincount(weekdays, minlength=WEEK), 1)
    return share >= USUAL_SHARE * share.max()


def _is_quiet(traded: np.ndarray, usual: np.ndarray) -> bool:
    days = np.flatnonzero(traded)
    gaps = np.diff(days)
    counted = np.ones(len(traded), dtype=bool)
    for start, gap in zip(days[:-1][gaps > LONG_GAP], gaps[gaps > LONG_GAP], strict=True):
        counted[start + 1 : start + gap] = False
    counted[days[-1] + 1 :] = False
    expected = (usual & counted).sum()
    return bool(expected and (usual & counted & ~traded).sum() > QUIET_SHARE * expected)
