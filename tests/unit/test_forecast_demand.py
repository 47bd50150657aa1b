"""The class of a series by how often and how evenly it sells."""

from dataclasses import replace
from datetime import date

import numpy as np

from dagster_project.core.forecasting.engine.demand import (
    as_well_known,
    asked_for,
    demand_classes,
)
from dagster_project.core.forecasting.engine.panel import Panel

NAN = np.nan


def panel(rows: list[list[float]]) -> Panel:
    values = np.array(rows, dtype=float)
    count, days = values.shape
    return Panel(
        first_date=date(2026, 1, 5),
        horizon=2,
        keys=tuple(f"series {row}" for row in range(count)),
        segments=("shop",) * count,
        values=values,
        closed=np.zeros((count, days + 2), dtype=bool),
        sold_out=np.zeros((count, days), dtype=bool),
        regressors={},
        countries=(("US",),) * count,
    )


def test_six_series_are_classed_by_interval_and_variation() -> None:
    shops = panel(
        [
            [2, 3, 2, 3, 2, 3],  # every day; 2.5 ± .5: variation .04
            [1, 9, 1, 1, 9, 1],  # every day; mean 3.67, variance 14.2: variation 1.06
            [2, 0, 0, 2, 0, 2],  # 6 days, 3 with demand: interval 2; variation 0
            [1, 0, 0, 9, 0, 1],  # interval 2; mean 3.67, variance 14.2: variation 1.06
            [0, 0, 0, 0, 0, 0],
            [NAN, NAN, NAN, NAN, NAN, NAN],
        ]
    )

    found = demand_classes(shops)

    assert found.tolist() == ["smooth", "erratic", "intermittent", "lumpy", "none", "none"]


def test_days_before_the_first_sale_and_days_without_a_value_do_not_make_a_series_rare() -> None:
    shops = panel([[0, 0, 0, 2, 2, 2], [2, NAN, NAN, 2, NAN, 2]])

    assert demand_classes(shops).tolist() == ["smooth", "smooth"]


def test_returns_count_as_a_day_without_demand() -> None:
    assert demand_classes(panel([[2, -2, 2, -2, 2, -2]])).tolist() == ["intermittent"]


def test_what_sold_longer_than_a_year_ago_does_not_make_the_class() -> None:
    year = [0.0] * 364

    assert demand_classes(panel([[5.0, 5.0, *year]])).tolist() == ["none"]


def test_sold_out_and_closed_days_teach_nothing_unless_there_are_no_others() -> None:
    shops = panel([[4, 1, 4, 0], [1, 1, 1, 1]])
    sold_out = np.array([[False, True, False, False], [True] * 4])
    closed = np.zeros((2, 6), dtype=bool)
    closed[0, 3] = True

    found = asked_for(replace(shops, sold_out=sold_out, closed=closed))

    assert np.array_equal(found, [[4, NAN, 4, NAN], [1, 1, 1, 1]], equal_nan=True)


def test_a_series_is_known_by_when_it_has_sold_as_often_as_the_least_has_now() -> None:
    sold = np.zeros((4, 100), dtype=bool)
    sold[0, ::2], sold[1, 20:80:4], sold[2, 40:60:5], sold[3, 90:98:2] = True, True, True, True

    # Now 50, 15, 4 and 4 days.
    assert as_well_known(sold, 100).all()
    assert as_well_known(sold, 60).tolist() == [True, True, True, False]
    assert as_well_known(sold, 34).tolist() == [True, True, False, False]


def test_where_few_had_sold_so_often_days_sold_count_per_day() -> None:
    sold = np.zeros((4, 100), dtype=bool)
    sold[:, 2::10] = True
    sold[3, :50] = False

    # Each now has 10 or 5; after 20 days only two, and none of the last.
    assert as_well_known(sold, 20).tolist() == [True, True, True, False]
    assert as_well_known(np.zeros((0, 5), dtype=bool), 3).tolist() == []
