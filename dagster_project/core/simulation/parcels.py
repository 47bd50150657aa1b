"""Parcels: how the goods of web orders reach the customer, and money paid back.

Belongs here: the times of a parcel and its refunds. Does not: the orders (``web``). A parcel is
told in the week of its order and, if it was still on its way then, once more when it has arrived.
"""

from __future__ import annotations

import numpy as np

from dagster_project.core.simulation.columns import (
    Columns,
    decimal,
    known_times,
    local_times,
    picked,
    same,
    text,
    whole,
)
from dagster_project.core.simulation.plan import Country, Plan, Site, Stream, Week
from dagster_project.core.simulation.tills import Rows
from dagster_project.core.simulation.web import BACK, CANCELLED, ITEM, METHODS, RETURNED

HOUR, DAY = 3600, 86400
CARRIERS = {"CN": ("SF", "YTO", "JD"), "IR": ("POST", "TIPAX"), "GB": ("RM", "DPD", "EVRI")}
TRAVEL_HOURS = {"CN": 26.0, "IR": 60.0, "GB": 40.0}  # median from the shop to the door
PROMISED_DAYS = {"CN": 3, "IR": 6, "GB": 4}
SPLIT_SHARE = 0.12  # of orders with several lines: every line is a parcel of its own
LOCKER_SHARE = 0.15
METHODS_OF_DELIVERY = ("home", "locker")
STATES = ("ordered", "paid", "picked", "shipped", "delivered", "cancelled")
# The first carrier of each country is slow in the fourth fifth of the run.
SLOW_FACTOR = 2.2
REFUND_DAYS = (1, 6)
MOMENTS = ("paid", "picked", "shipped", "delivered")


class Parcels:
    """The parcels of one country; weeks are taken in order, for some are still on their way."""

    def __init__(self, plan: Plan, country: Country, midnight: np.ndarray) -> None:
        """Start with nothing on its way."""
        self.plan = plan
        self.country = country
        self.midnight = midnight
        self.on_their_way: Rows | None = None

    def week(self, week: Week, orders: Rows, lines: Rows, moments: np.ndarray) -> Rows:
        """What is told about parcels in a week: those of its orders, and those that arrived."""
        new = self._send(week, orders, lines, moments)
        end = int(self.midnight[week.days[-1]]) + DAY
        old = self.on_their_way
        told = new if old is None else _joined(old, new)
        open_still = (told["cancelled"] < 0) & (told["delivered"] > end)
        known_before = np.arange(told["number"].size) < (0 if old is None else old["number"].size)
        self.on_their_way = {name: values[open_still] for name, values in told.items()}
        kept = ~known_before | ~open_still
        return {name: values[kept] for name, values in told.items()} | {"as_of": np.array([end])}

    def _send(self, week: Week, orders: Rows, lines: Rows, moments: np.ndarray) -> Rows:
        rng = self.plan.generator(Stream.PARCELS, self.country.number, week.number)
        order, pos = self._parts(rng, orders, lines)
        size = order.size
        placed = moments[order]
        carrier = rng.integers(0, len(CARRIERS[self.country.code]), size)
        slow = (carrier == 0) & (orders["day"][order] >= self.plan.days * 3 // 5)
        slow &= orders["day"][order] < self.plan.days * 4 // 5
        hours = TRAVEL_HOURS[self.country.code] * rng.lognormal(0, 0.45, size)
        hours = np.where(slow, hours * SLOW_FACTOR, hours)
        paid = placed + (60 * rng.lognormal(1.2, 0.9, size)).astype(np.int64)
        picked_at = paid + (HOUR * rng.lognormal(1.6, 0.6, size)).astype(np.int64)
        shipped = picked_at + (HOUR * rng.lognormal(1.0, 0.5, size)).astype(np.int64)
        called_off = orders["state"][order] == CANCELLED
        never = np.full(size, -1)
        return {
            "number": orders["number"][order], "pos": pos, "placed": placed,
            "site": orders["site"][order], "carrier": carrier,
            "locker": (rng.random(size) < LOCKER_SHARE).astype(np.int64),
            "paid": np.where(called_off, never, paid),
            "picked": np.where(called_off, never, picked_at),
            "shipped": np.where(called_off, never, shipped),
            "delivered": np.where(called_off, never, shipped + (HOUR * hours).astype(np.int64)),
            "cancelled": np.where(called_off, placed + 600, never),
        }  # fmt: skip

    @staticmethod
    def _parts(
        rng: np.random.Generator, orders: Rows, lines: Rows
    ) -> tuple[np.ndarray, np.ndarray]:
        """Orders of the parcels and their lines, 0 where the whole order is one parcel."""
        sent = np.flatnonzero(orders["state"] != RETURNED)
        count = np.bincount(
            lines["order"][lines["kind"] == ITEM], minlength=orders["day"].size
        )[sent]  # fmt: skip
        split = (count > 1) & (rng.random(sent.size) < SPLIT_SHARE)
        apart = np.isin(lines["order"], sent[split]) & (lines["kind"] == ITEM)
        order = np.concatenate([sent[~split], lines["order"][apart]])
        pos = np.concatenate([np.zeros(int((~split).sum()), dtype=np.int64), lines["pos"][apart]])
        sort = np.lexsort((pos, order))
        return order[sort], pos[sort]


def _joined(first: Rows, second: Rows) -> Rows:
    return {name: np.concatenate([first[name], second[name]]) for name in second}


def parcel_columns(rows: Rows, country: Country, sites: list[Site]) -> Columns:
    """``lantern_parcels``: one row per parcel as far as it had come when the week ended."""
    end, zone = int(rows["as_of"][0]), country.time_zone
    known = {name: (rows[name] >= 0) & (rows[name] <= end) for name in MOMENTS}
    reached = np.sum([known[name] for name in MOMENTS], axis=0)
    cancelled = rows["cancelled"] >= 0
    last = np.max([np.where(known[name], rows[name], 0) for name in MOMENTS], axis=0)
    changed = np.where(cancelled, rows["cancelled"], np.maximum(last, rows["placed"]))
    promised = rows["placed"] + PROMISED_DAYS[country.code] * DAY
    of_line = rows["pos"] > 0
    numbers = zip(rows["number"].tolist(), rows["pos"].tolist(), strict=True)
    return {
        "parcel": text([f"{number}/{pos}" if pos else number for number, pos in numbers]),
        "order_no": text(rows["number"]),
        "pos": whole(rows["pos"], of_line),
        "state": picked(np.where(cancelled, len(STATES) - 1, reached), STATES),
        "goes_to": picked(rows["locker"], METHODS_OF_DELIVERY),
        "leaves_from": picked(rows["site"], [site.code for site in sites]),
        "carrier": picked(rows["carrier"], CARRIERS[country.code]),
        "placed_at": local_times(rows["placed"], zone),
        **{f"{name}_at": known_times(rows[name], known[name], zone) for name in MOMENTS},
        "promised_at": local_times(promised, zone),
        "cancelled_at": known_times(rows["cancelled"], cancelled, zone),
        "changed_at": local_times(changed, zone),
    }


def refund_columns(
    plan: Plan, week: Week, country: Country, *, orders: Rows, lines: Rows, moments: np.ndarray
) -> Columns:
    """``lantern_refunds``: one row per returned line of a web order and the money for it."""
    rng = plan.generator(Stream.PARCELS, country.number, week.number, 1)
    back = np.flatnonzero(lines["kind"] == BACK)
    order = lines["order"][back]
    asked = moments[order]
    paid = asked + rng.integers(REFUND_DAYS[0] * DAY, REFUND_DAYS[1] * DAY, back.size)
    owed = -(lines["list"] - lines["discount"] + lines["tax"])[back]
    numbers = orders["number"][order].tolist()
    return {
        "refund": text([f"F{number}" for number in numbers]),
        "order_no": text(lines["from_order"][back]),
        "pos": whole(lines["from_pos"][back]),
        "units": decimal(-lines["milli"][back], 3),
        "amount": decimal(owed, country.minor_digits),
        "vat": decimal(-lines["tax"][back], country.minor_digits),
        "curr": same(country.currency, back.size),
        "method": picked(orders["method"][order], METHODS),
        "asked_at": local_times(asked, country.time_zone),
        "paid_at": local_times(paid, country.time_zone),
    }


def slow_carrier_columns(plan: Plan, country: Country) -> Columns:
    """``slow_carriers``: the carrier that is slow for a fifth of the run, by day of order."""
    last = max(plan.days * 4 // 5 - 1, plan.days * 3 // 5)
    return {
        "country_code": text([country.code]),
        "carrier_code": text([CARRIERS[country.code][0]]),
        "from_date": text([plan.day(plan.days * 3 // 5).isoformat()]),
        "to_date": text([plan.day(last).isoformat()]),
        "factor": text([f"{SLOW_FACTOR:.2f}"]),
    }
