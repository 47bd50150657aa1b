"""Till sessions: a drawer from its opening to its count, and what was missing in it.

Belongs here: float, drops and counts of a closed week. Does not: the cash itself (``receipts``).
Every drawer balances: float and cash taken less drops is what was counted less what is over.
"""

from __future__ import annotations

import numpy as np

from dagster_project.core.simulation.columns import (
    Columns,
    decimal,
    local_times,
    picked,
    same,
    text,
    whole,
)
from dagster_project.core.simulation.plan import Country, Plan, Site, Stream, Week
from dagster_project.core.simulation.receipts import NOTE, SHIFT_CHANGE, ClosedWeek
from dagster_project.core.simulation.till_files import cashiers
from dagster_project.core.simulation.tills import CASH, TRAINING, Rows

FLOAT_NOTES = 50  # laid into a drawer, in notes of the country
LIMIT_NOTES = 150  # above it cash goes to the safe …
DROP_SHARE = 0.8  # … four fifths of it, in whole notes
DIFFERENCE_SHARE = 0.03  # of sessions that do not come out even
COIN = {"CN": 10, "IR": 1000, "GB": 5}  # what cash is miscounted by, minor units
# One cashier of each country is short again and again in the third quarter of the run.
CARELESS_SHARE = 0.6
CARELESS_NOTES = (1, 6)
BEFORE_OPENING = AFTER_CLOSING = 900  # seconds for laying in and counting


def make_sessions(
    plan: Plan, week: Week, country: Country, sites: list[Site], closed: ClosedWeek
) -> Rows:
    """The week's sessions, one per till, day and shift that rang up anything; amounts in minor
    units."""
    rng = plan.generator(Stream.SESSIONS, country.number, week.number)
    receipts, tenders = closed.receipts, closed.tenders
    shift = (receipts["sec"] >= SHIFT_CHANGE).astype(np.int64)
    place = ((receipts["site"] * 100 + receipts["terminal"]) * plan.days + receipts["day"]) * 2
    keys, session = np.unique(place + shift, return_inverse=True)
    owner = tenders["receipt"]
    # What is rung up for training never lies in a drawer.
    real = (tenders["means"] == CASH) & (receipts["kind"][owner] != TRAINING)
    cash = np.bincount(
        session[owner[real]], weights=tenders["amount"][real], minlength=keys.size
    ).astype(np.int64)
    note = NOTE[country.code]
    drop = np.where(cash > LIMIT_NOTES * note, (cash * DROP_SHARE).astype(np.int64), 0)
    drop = drop // note * note
    laid_in = np.full(keys.size, FLOAT_NOTES * note)
    # Nobody pays back more than there is: after great refunds the float was greater.
    laid_in += np.maximum(0, -(-(drop - laid_in - cash) // note) * note)
    rows = {
        "shift": keys % 2, "day": keys // 2 % plan.days,
        "terminal": keys // (2 * plan.days) % 100, "site": keys // (200 * plan.days),
        "float": laid_in, "drop": drop, "expected": laid_in + cash - drop,
    }  # fmt: skip
    most = np.array([site.cashiers for site in sites if site.kind == "shop"])[rows["site"]]
    rows["cashier"] = 1 + (rows["terminal"] * 2 + rows["day"] + rows["shift"]) % most
    return rows | {"counted": _count(plan, rng, country, rows)}


def _count(plan: Plan, rng: np.random.Generator, country: Country, rows: Rows) -> np.ndarray:
    """What lay in each drawer when it was counted."""
    size = rows["day"].size
    coins = rng.integers(-20, 21, size) * COIN[country.code]
    off = np.where(rng.random(size) < DIFFERENCE_SHARE, coins, 0)
    shop, cashier = careless_cashier(plan, country)
    theirs = (rows["site"] == shop) & (rows["cashier"] == cashier)
    theirs &= (rows["day"] >= plan.days // 2) & (rows["day"] < plan.days * 3 // 4)
    theirs &= rng.random(size) < CARELESS_SHARE
    missing = rng.integers(*CARELESS_NOTES, size) * NOTE[country.code]
    return np.maximum(0, rows["expected"] + np.where(theirs, -missing, off))


def careless_cashier(plan: Plan, country: Country) -> tuple[int, int]:
    """Place of the shop among the country's, and number, of the cashier who is often short."""
    rng = plan.generator(Stream.SESSIONS, country.number)
    shops = plan.shops(country)
    shop = int(rng.integers(len(shops)))
    return shop, 1 + int(rng.integers(shops[shop].cashiers))


def session_columns(
    rows: Rows, country: Country, sites: list[Site], midnight: np.ndarray
) -> Columns:
    """``lantern_sessions``: one row per till session."""
    digits, codes = country.minor_digits, [site.code for site in sites]
    late = rows["shift"] == 1
    opens = np.array([site.opens for site in sites])[rows["site"]] - BEFORE_OPENING
    closes = np.array([site.closes for site in sites])[rows["site"]] + AFTER_CLOSING
    start = midnight[rows["day"]]
    closed_at = start + np.where(late, closes, SHIFT_CHANGE)
    return {
        "drawer": text(session_ids(rows)),
        "shop": picked(rows["site"], codes),
        "till": whole(rows["terminal"]),
        "cashier": cashiers(rows["site"], rows["cashier"], codes),
        "opened_at": local_times(start + np.where(late, SHIFT_CHANGE, opens), country.time_zone),
        "counted_at": local_times(closed_at, country.time_zone),
        "laid_in": decimal(rows["float"], digits),
        "to_safe": decimal(rows["drop"], digits),
        "counted": decimal(rows["counted"], digits),
        "reckoned": decimal(rows["expected"], digits),
        "curr": same(country.currency, rows["day"].size),
    }


def session_ids(rows: Rows) -> list[str]:
    """A till's number of each session: the day of the run and the shift."""
    pairs = zip(rows["day"].tolist(), rows["shift"].tolist(), strict=True)
    return [f"{day:05d}{shift + 1}" for day, shift in pairs]


def difference_columns(plan: Plan, rows: Rows, country: Country, sites: list[Site]) -> Columns:
    """``till_differences``: one row per session that did not come out even, and by how much."""
    odd = rows["counted"] != rows["expected"]
    found = {name: values[odd] for name, values in rows.items()}
    codes = [site.code for site in sites]
    return {
        "store_code": picked(found["site"], codes),
        "terminal_code": whole(found["terminal"]),
        "session_id": text(session_ids(found)),
        "business_date": text([plan.day(day).isoformat() for day in found["day"].tolist()]),
        "operator_code": cashiers(found["site"], found["cashier"], codes),
        "over_short_amount": decimal(found["counted"] - found["expected"], country.minor_digits),
        "currency_code": same(country.currency, found["day"].size),
    }
