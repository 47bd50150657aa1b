"""Forecasts that add up: on every date the children of a series are as much as the series.

Belongs here: adding up, sharing out. Does not: which series is a child of which.

Adding up the shops beat a forecast of the total, so sums go upwards from the level that is summed
(``ADD``); other cuts of the same total are scaled to it (``SHARE``), and those that belong to a
parent of each of two cuts, like a shop's category, are scaled to both in turn (iterative
proportional fitting) until they agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ADD, SHARE = "add", "share"
TOLERANCE = 1e-9  # of the parents' sum
MOST_ROUNDS = 40  # cuts that can be met are met to a millionth by then


@dataclass(frozen=True)
class Sums:
    """One step: parents and, for each, the rows that are its children."""

    rule: str  # ADD: parents become the sum; SHARE: children are scaled to the parents
    parents: np.ndarray  # (P,)
    children: tuple[np.ndarray, ...]  # (P,) rows of each
    settled: tuple[np.ndarray, ...] = ()  # (P,) rows that SHARE takes off the parent first


@dataclass(frozen=True)
class Crossed:
    """Children that are shared out among two cuts at once."""

    first: Sums
    second: Sums


Step = Sums | Crossed


def agreed(amounts: np.ndarray, steps: Sequence[Step]) -> np.ndarray:
    """(..., N, H) amounts that add up by every step, in order; NaN counts as 0 in a sum.

    A parent whose children are all NaN is left as it is.
    """
    result = amounts.copy()
    for step in steps:
        if isinstance(step, Crossed):
            _cross(result, step)
        elif step.rule == ADD:
            _add(result, step)
        else:
            _share(result, step)
    return result


def _add(amounts: np.ndarray, step: Sums) -> None:
    for parent, rows in zip(step.parents, step.children, strict=True):
        children = amounts[..., rows, :]
        known = ~np.isnan(children).all(axis=-2)
        total = np.nansum(children, axis=-2)
        amounts[..., parent, :] = np.where(known, total, amounts[..., parent, :])


def _share(amounts: np.ndarray, step: Sums) -> float:
    """Scale children to their parents; the largest gap there was, as a share of the parent."""
    gap = 0.0
    for place, (parent, rows) in enumerate(zip(step.parents, step.children, strict=True)):
        wanted = amounts[..., parent, :]
        if step.settled:
            wanted = wanted - np.nansum(amounts[..., step.settled[place], :], axis=-2)
        children = amounts[..., rows, :]
        said = np.nansum(children, axis=-2)
        scaled = (said > 0) & (wanted >= 0) & ~np.isnan(wanted)
        factor = np.divide(wanted, said, out=np.ones(said.shape), where=scaled)
        gap = max(gap, float(np.abs(factor - 1).max(initial=0.0)))
        amounts[..., rows, :] = children * factor[..., None, :]
        _spread_evenly(amounts, rows, wanted, ~scaled & ~np.isnan(wanted))
    return gap


def _spread_evenly(
    amounts: np.ndarray, rows: np.ndarray, wanted: np.ndarray, where: np.ndarray
) -> None:
    """What cannot be scaled (children of 0, a parent below 0) is spread over those that count."""
    if not where.any():
        return
    children = amounts[..., rows, :]
    known = ~np.isnan(children)
    missing = np.where(where, wanted - np.nansum(children, axis=-2), 0.0)
    each = missing / np.maximum(known.sum(axis=-2), 1)
    amounts[..., rows, :] = children + np.where(known, each[..., None, :], 0.0)


def _cross(amounts: np.ndarray, step: Crossed) -> None:
    """Scale children to both cuts in turn; where they cannot meet both, the first cut is kept.

    The second cut's parents then are the sums of their children, so that every sum holds: exactly,
    and at once where a parent of nothing has children that are something.
    """
    for _ in range(MOST_ROUNDS):
        _share(amounts, step.second)
        if _share(amounts, step.first) <= TOLERANCE:
            break
    _add(amounts, step.second)
