"""Forecasts that add up, by hand and for whatever amounts there are."""

import numpy as np
import pytest

from dagster_project.core.forecasting.engine.coherence import (
    ADD,
    SHARE,
    Crossed,
    Step,
    Sums,
    agreed,
)

NAN = np.nan
CLOSE = 1e-6
DAYS = 5
TOTAL, SHOPS, GROUPS = 0, (1, 2, 3), (4, 5)
CELLS = np.arange(6, 12).reshape(3, 2)  # shop × group
COUNT = 12


def rows(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=int)


ADDED = Sums(ADD, rows(TOTAL), (rows(*SHOPS),))
SHARED = Sums(SHARE, rows(TOTAL), (rows(*GROUPS),))
CROSSED = Crossed(
    Sums(SHARE, rows(*SHOPS), tuple(CELLS)), Sums(SHARE, rows(*GROUPS), tuple(CELLS.T))
)
STEPS: tuple[Step, ...] = (ADDED, SHARED, CROSSED)


def gaps(found: np.ndarray) -> np.ndarray:
    """By how much each parent is not the sum of its parts; of the largest amount."""
    pairs = [
        (TOTAL, SHOPS),
        (TOTAL, GROUPS),
        *zip(SHOPS, CELLS, strict=True),
        *zip(GROUPS, CELLS.T, strict=True),
    ]
    apart = [
        found[..., parent, :] - np.nansum(found[..., list(parts), :], axis=-2)
        for parent, parts in pairs
    ]
    return np.abs(np.stack(apart)) / max(1.0, float(np.nanmax(np.abs(found))))


def test_a_parent_becomes_the_sum_of_its_children() -> None:
    found = agreed(np.array([[99.0], [1.0], [2.0], [4.0]]), [Sums(ADD, rows(0), (rows(1, 2, 3),))])

    assert found[:, 0].tolist() == [7, 1, 2, 4]


def test_children_are_scaled_to_their_parent() -> None:
    found = agreed(
        np.array([[30.0], [1.0], [2.0], [2.0]]), [Sums(SHARE, rows(0), (rows(1, 2, 3),))]
    )

    assert found[:, 0].tolist() == [30, 6, 12, 12]


def test_what_is_settled_is_taken_off_before_the_rest_is_scaled() -> None:
    step = Sums(SHARE, rows(0), (rows(2, 3),), settled=(rows(1),))

    found = agreed(np.array([[30.0], [12.0], [2.0], [4.0]]), [step])

    assert found[:, 0].tolist() == [30, 12, 6, 12]


def test_a_child_that_says_nothing_counts_as_nothing_and_still_says_nothing() -> None:
    amounts = np.array([[10.0], [2.0], [NAN], [3.0]])

    added = agreed(amounts, [Sums(ADD, rows(0), (rows(1, 2, 3),))])[:, 0]
    shared = agreed(amounts, [Sums(SHARE, rows(0), (rows(1, 2, 3),))])[:, 0]

    assert added.tolist() == pytest.approx([5, 2, NAN, 3], nan_ok=True)
    assert shared.tolist() == pytest.approx([10, 4, NAN, 6], nan_ok=True)


def test_a_parent_whose_children_say_nothing_is_left_as_it_is() -> None:
    amounts = np.array([[10.0], [NAN], [NAN]])

    for rule in (ADD, SHARE):
        found = agreed(amounts, [Sums(rule, rows(0), (rows(1, 2),))])
        assert found[:, 0].tolist() == pytest.approx([10, NAN, NAN], nan_ok=True)


def test_children_of_a_parent_that_says_nothing_are_left_as_they_are() -> None:
    found = agreed(np.array([[NAN], [1.0], [2.0]]), [Sums(SHARE, rows(0), (rows(1, 2),))])

    assert found[1:, 0].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("parent", "children", "expected"),
    [
        (6.0, [0.0, 0.0], [3.0, 3.0]),  # nothing to scale: the same for each
        (-4.0, [1.0, 3.0], [-3.0, -1.0]),  # more comes back than is sold: 8 less, 4 for each
        (0.0, [1.0, 3.0], [0.0, 0.0]),
        (0.0, [0.0, 0.0], [0.0, 0.0]),
        (4.0, [-1.0, 3.0], [-2.0, 6.0]),
        (6.0, [-3.0, 1.0], [1.0, 5.0]),
        (6.0, [0.0, NAN], [6.0, NAN]),
    ],
)
def test_what_cannot_be_scaled_is_spread_evenly(
    parent: float, children: list[float], expected: list[float]
) -> None:
    amounts = np.array([[parent], *([one] for one in children)])

    found = agreed(amounts, [Sums(SHARE, rows(0), (rows(1, 2),))])

    assert found[1:, 0].tolist() == pytest.approx(expected, nan_ok=True)


def test_two_cuts_at_once_are_what_a_table_of_their_margins_would_be() -> None:
    # Cells that are all alike end at row × column / total.
    amounts = np.full((COUNT, 1), 1.0)
    amounts[list(SHOPS), 0] = [10, 20, 30]
    amounts[list(GROUPS), 0] = [5, 10]  # scaled to 20 and 40

    found = agreed(amounts, STEPS)

    assert found[CELLS, 0] == pytest.approx(np.outer([10, 20, 30], [20, 40]) / 60)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e6])
def test_sums_agree_on_every_day(seed: int, size: float) -> None:
    amounts = size * np.random.default_rng(seed).lognormal(0, 1.5, (COUNT, 28))

    assert gaps(agreed(amounts, STEPS)).max() < CLOSE


@pytest.mark.parametrize("seed", range(5))
def test_sums_agree_where_shops_and_cells_are_zero(seed: int) -> None:
    rng = np.random.default_rng(seed)
    amounts = rng.lognormal(0, 1, (COUNT, 28))
    amounts[CELLS[rng.random(CELLS.shape) < 0.3]] = 0.0
    amounts[1, :14] = 0.0  # closed for a fortnight, its cells are not
    amounts[:, 20] = 0.0

    assert gaps(agreed(amounts, STEPS)).max() < CLOSE


@pytest.mark.parametrize("seed", range(20))
def test_sums_agree_where_more_comes_back_than_is_sold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    amounts = rng.normal(1, 1, (COUNT, 28))

    assert gaps(agreed(amounts, STEPS)).max() < CLOSE


@pytest.mark.parametrize("seed", range(5))
def test_sums_agree_where_some_cells_say_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    amounts = rng.lognormal(0, 1, (COUNT, 28))
    amounts[CELLS[seed % 3, seed % 2]] = NAN

    found = agreed(amounts, STEPS)

    assert gaps(found).max() < CLOSE
    assert (np.isnan(found) == np.isnan(amounts)).all()


def test_past_forecasts_of_many_windows_agree_like_one_does() -> None:
    amounts = np.random.default_rng(4).lognormal(0, 1, (3, COUNT, DAYS))

    found = agreed(amounts, STEPS)

    assert gaps(found).max() < CLOSE
    for window, made in zip(amounts, found, strict=True):
        assert made == pytest.approx(agreed(window, STEPS), rel=1e-8)


def test_amounts_that_agree_already_stay_as_they_are() -> None:
    once = agreed(np.random.default_rng(5).lognormal(0, 1, (COUNT, DAYS)), STEPS)

    assert agreed(once, STEPS) == pytest.approx(once, rel=1e-7)


def test_what_is_given_is_not_changed() -> None:
    amounts = np.random.default_rng(6).lognormal(0, 1, (COUNT, DAYS))
    before = amounts.copy()

    agreed(amounts, STEPS)

    assert (amounts == before).all()
