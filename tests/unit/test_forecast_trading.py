"""Open days told from days with a receipt, by hand-made shops."""

import numpy as np

from dagster_project.core.forecasting.trading import ALIVE_DAYS, open_days

DAYS = 140
MONDAY, SUNDAY = 0, 6
NUMBER = np.arange(DAYS)


def every_day() -> np.ndarray:
    """A busy shop, so that no day is one on which nobody traded."""
    return np.ones(DAYS, dtype=bool)


def with_busy(*shops: np.ndarray, weekday: int = MONDAY) -> np.ndarray:
    """(shops, T) open days beside a shop that trades every day."""
    return open_days(np.stack([every_day(), *shops]), weekday)[1:]


def test_a_shop_that_sells_on_nearly_every_day_was_closed_on_the_others() -> None:
    traded = every_day()
    traded[[30, 31, 80]] = False

    assert (with_busy(traded) == traded).all()


def test_a_quiet_shop_was_open_between_its_first_and_last_receipt() -> None:
    traded = NUMBER % 4 == 1  # every fourth day, all weekdays alike

    (found,) = with_busy(traded)

    # Open from the first receipt on, and to the end, as the last one was a few days ago.
    assert not found[0]
    assert found[1:].all()


def test_the_weekly_day_of_rest_of_a_quiet_shop_stays_closed() -> None:
    traded = (NUMBER % 7 != SUNDAY) & (NUMBER % 5 != 0)

    (found,) = with_busy(traded)

    assert not found[NUMBER % 7 == SUNDAY].any()
    assert found[(NUMBER % 7 != SUNDAY) & (NUMBER > 0)].all()


def test_the_first_day_s_weekday_tells_which_day_is_the_one_of_rest() -> None:
    wednesday = 2
    traded = ((NUMBER + wednesday) % 7 != SUNDAY) & (NUMBER % 5 != 0)

    (found,) = with_busy(traded, weekday=wednesday)

    assert not found[(NUMBER + wednesday) % 7 == SUNDAY].any()


def test_a_refurbishment_does_not_make_a_shop_quiet() -> None:
    traded = every_day()
    traded[50:75] = False

    assert (with_busy(traded) == traded).all()


def test_a_shop_that_has_ended_is_open_to_its_last_receipt_only() -> None:
    traded = NUMBER % 4 == 1
    last = DAYS - 1 - ALIVE_DAYS
    traded[last + 1 :] = False
    traded[last] = True

    (found,) = with_busy(traded)

    assert found[1 : last + 1].all()
    assert not found[last + 1 :].any()


def test_a_shop_that_sold_less_than_eight_weeks_ago_is_still_open() -> None:
    traded = NUMBER % 4 == 1
    last = DAYS - ALIVE_DAYS
    traded[last + 1 :] = False
    traded[last] = True

    assert with_busy(traded)[0, 1:].all()


def test_a_day_on_which_no_shop_traded_is_nobody_s_open_day() -> None:
    quiet, busy = NUMBER % 4 == 1, every_day()
    quiet[100] = busy[100] = False

    found = open_days(np.stack([busy, quiet]), MONDAY)

    assert not found[:, 100].any()
    assert found[1, 99]


def test_a_shop_without_any_receipt_has_no_open_day() -> None:
    assert not with_busy(np.zeros(DAYS, dtype=bool)).any()
