"""Least values of small quadratics with an absolute penalty, many at a time and exactly.

Belongs here: the active-set search. Does not: where the quadratics come from.
"""

from __future__ import annotations

import numpy as np

STEPS_PER_COORDINATE = 50
TOLERANCE = 1e-9  # of the penalty or the largest linear term
ROUNDING = 1e-12  # of the trace: equal columns stay solvable


def lasso_minima(
    quadratic: np.ndarray, linear: np.ndarray, penalty: np.ndarray, start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The x at which ½ x'Qx - c'x + penalty · |x|₁ is least, of n problems side by side.

    quadratic (n, S, S), linear and start (n, S), penalty (n,). Exact: each step solves for the
    active coordinates and stops at the first one that would change its sign, so the value falls at
    every step. Returns (n, S) and whether each one settled, (n,) bool.
    """
    count, size = linear.shape
    x, sign = start.copy(), np.sign(start)
    settled = np.zeros(count, dtype=bool)
    if size == 0:
        return x, ~settled
    tolerance = TOLERANCE * np.maximum(penalty, np.abs(linear).max(axis=1))
    slack = ROUNDING * np.maximum(np.einsum("nss->n", quadratic), ROUNDING)
    left = np.arange(count)
    for _ in range(STEPS_PER_COORDINATE * size):
        if not len(left):
            break
        target = _targets(quadratic[left], linear[left], penalty[left], sign[left], slack[left])
        crossed = (sign[left] != 0) & (target * sign[left] <= 0)
        turned = crossed.any(axis=1)
        _step_to_zero(x, sign, left[turned], target[turned], crossed[turned])
        straight = left[~turned]
        x[straight] = target[~turned]
        gradient = (quadratic[straight] @ x[straight, :, None])[:, :, 0] - linear[straight]
        excess = np.where(sign[straight] == 0, np.abs(gradient) - penalty[straight, None], -np.inf)
        worst = excess.argmax(axis=1)
        places = np.arange(len(straight))
        more = excess[places, worst] > tolerance[straight]
        sign[straight[more], worst[more]] = -np.sign(gradient[places, worst])[more]
        settled[straight[~more]] = True
        left = left[~settled[left]]
    return x, settled


def _targets(
    quadratic: np.ndarray,
    linear: np.ndarray,
    penalty: np.ndarray,
    sign: np.ndarray,
    slack: np.ndarray,
) -> np.ndarray:
    """Where each problem's active coordinates would rest if their signs held; others are 0."""
    active = sign != 0
    identity = np.eye(sign.shape[1])
    both = active[:, :, None] & active[:, None, :]
    matrix = np.where(both, quadratic + slack[:, None, None] * identity, identity)
    side = np.where(active, linear - penalty[:, None] * sign, 0.0)
    return np.linalg.solve(matrix, side[:, :, None])[:, :, 0]


def _step_to_zero(
    x: np.ndarray, sign: np.ndarray, rows: np.ndarray, target: np.ndarray, crossed: np.ndarray
) -> None:
    """Move these rows towards the target until a first coordinate reaches zero; it rests there."""
    now = x[rows]
    moved = np.where(crossed, now - target, 1.0)
    share = np.where(crossed, np.divide(now, moved, out=np.zeros_like(now), where=moved != 0), 2.0)
    first = share.argmin(axis=1)
    places = np.arange(len(rows))
    x[rows] = now + share[places, first][:, None] * (target - now)
    x[rows, first] = 0.0
    sign[rows, first] = 0.0
