"""The clicks of one week: sessions that lead to the orders, and those that lead nowhere.

Belongs here: events in session order. Does not: the orders (``web``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dagster_project.core.simulation.catalogue import Catalogue
from dagster_project.core.simulation.columns import (
    Columns,
    decimal,
    picked,
    text,
)
from dagster_project.core.simulation.people import People
from dagster_project.core.simulation.plan import Plan, Site, Stream, Week
from dagster_project.core.simulation.tills import Rows
from dagster_project.core.simulation.web import ITEM, RETURNED

VIEW, FIND, LOOK, CART, CHECKOUT, BUY = range(6)
ACTIONS = ("pv", "find", "item", "cart", "checkout", "buy")
PATHS = ("/", "/search", "/p/", "/cart", "/checkout", "/thanks")
SOURCES = {
    "CN": ("direct", "search", "weibo", "xiaohongshu"),
    "IR": ("direct", "search", "telegram", "instagram"),
    "GB": ("direct", "search", "mail", "instagram"),
}
DEVICES = ("phone", "desktop", "tablet")
IDLE_SESSIONS = 3.0  # that lead to no order, for each one that does
KNOWN_SHARE = 0.5  # of them by people who are followed
FIND_SHARE = 0.35
CART_SHARE = 0.15  # of articles looked at in an idle session
LAST = 10**6
COOKIE_SHARES = (0.7, 0.22, 0.08)
MEDIAN_TENTHS = 220


def make_clicks(
    plan: Plan, week: Week, catalogue: Catalogue, people: People, *, midnight: np.ndarray,
    orders: Rows, lines: Rows,
) -> Rows:  # fmt: skip
    """Events of a week ordered by session and time; ``moment`` in tenths of a second."""
    rng = plan.generator(Stream.EVENTS, people.country.number, week.number)
    sessions, order = _sessions(rng, week, people, midnight, orders)
    own = np.isin(lines["kind"], (ITEM,)) & np.isin(lines["order"], order)
    place = np.full(orders["day"].size, -1)
    place[order] = np.arange(order.size)
    idle = np.flatnonzero(sessions["order"] < 0)
    looks = rng.geometric(0.4, idle.size)
    session = np.concatenate([place[lines["order"][own]], np.repeat(idle, looks)])
    shares = catalogue.popularity
    article = np.concatenate(
        [lines["article"][own], rng.choice(shares.size, int(looks.sum()), p=shares)]
    )
    step = np.concatenate([lines["pos"][own], _counted(looks)])
    idly = int(looks.sum())
    carts = np.concatenate([np.ones(int(own.sum()), bool), rng.random(idly) < CART_SHARE])
    every = np.arange(sessions["moment"].size)
    buying = np.flatnonzero(sessions["order"] >= 0)
    searching = every[rng.random(every.size) < FIND_SHARE]
    sought = rng.choice(shares.size, searching.size, p=shares)
    parts = (
        (every, VIEW, np.zeros(every.size), None),
        (searching, FIND, np.ones(searching.size), sought),
        (session, LOOK, 2 + 2 * step, article),
        (session[carts], CART, 3 + 2 * step[carts], article[carts]),
        (buying, CHECKOUT, np.full(buying.size, LAST), None),
        (buying, BUY, np.full(buying.size, LAST + 1), None),
    )
    return _timed(rng, sessions, _in_order(parts))


def _in_order(parts: Sequence[tuple[np.ndarray, int, np.ndarray, np.ndarray | None]]) -> Rows:
    """Events of all sessions from (session, action, place in the session, article)."""
    events = {
        "session": np.concatenate([p[0] for p in parts]),
        "action": np.concatenate([np.full(p[0].size, p[1]) for p in parts]),
        "article": np.concatenate(
            [np.full(p[0].size, -1) if p[3] is None else p[3] for p in parts]
        ),
    }
    sort = np.lexsort((np.concatenate([p[2] for p in parts]), events["session"]))
    return {name: values[sort] for name, values in events.items()}


def _counted(counts: np.ndarray) -> np.ndarray:
    """1, 2, … n for each n of ``counts``."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if ends.size else 0) - np.repeat(ends - counts, counts) + 1


def _sessions(
    rng: np.random.Generator, week: Week, people: People, midnight: np.ndarray, orders: Rows
) -> tuple[Rows, np.ndarray]:
    """Sessions that end in an order first; which visitor, when they end."""
    order = np.flatnonzero(orders["state"] != RETURNED)
    idle = int(rng.poisson(order.size * IDLE_SESSIONS))
    known = rng.random(idle) < KNOWN_SHARE
    person = np.where(known, rng.integers(0, people.size, idle), -1)
    day = rng.choice(np.array(week.days), idle)
    gone = (people.churn_day[person] <= day) | (people.from_day[person] > day)
    person = np.where(gone, -1, person)
    online = np.unique(orders["site"]) if order.size else np.zeros(0, dtype=np.int64)
    site = rng.choice(online, idle) if online.size else np.zeros(idle, dtype=np.int64)
    # Idle visits end between two and midnight: no day is so short that it lacks these hours.
    second = rng.integers(7200, 86400, idle)
    return {
        "order": np.concatenate([order, np.full(idle, -1)]),
        "person": np.concatenate([orders["person"][order], person]),
        "cookie": np.concatenate([orders["cookie"][order], rng.choice(3, idle, p=COOKIE_SHARES)]),
        "account": np.concatenate([orders["account"][order], np.full(idle, -1)]),
        "site": np.concatenate([orders["site"][order], site]),
        "moment": np.concatenate([
            midnight[orders["day"][order]] + orders["sec"][order], midnight[day] + second
        ]),
        "source": rng.choice(4, order.size + idle, p=[0.4, 0.3, 0.2, 0.1]),
        "device": rng.choice(3, order.size + idle, p=[0.7, 0.25, 0.05]),
        "stranger": rng.integers(0, 10**9, order.size + idle),
    }, order  # fmt: skip


def _timed(rng: np.random.Generator, sessions: Rows, events: Rows) -> Rows:
    """Give every event its time: the last of a session happens when the session ends."""
    session = events["session"]
    size = session.size
    tenths = np.maximum(8, (MEDIAN_TENTHS * rng.lognormal(0, 0.8, size)).astype(np.int64))
    last = np.concatenate([session[1:] != session[:-1], [True]]) if size else np.zeros(0, bool)
    dwell = np.where(last, 0, tenths)
    until = np.cumsum(dwell)
    ends = until[np.flatnonzero(last)]
    moment = sessions["moment"][session] * 10 - (np.repeat(ends, np.diff(
        np.concatenate([[-1], np.flatnonzero(last)])
    )) - until + dwell)  # fmt: skip
    return (
        events
        | {"moment": moment, "dwell": dwell, "is_last": last}
        | {
            name: sessions[name][session]
            for name in (
                "order",
                "person",
                "cookie",
                "account",
                "site",
                "source",
                "device",
                "stranger",
            )
        }
    )


def click_columns(
    events: Rows, week: Week, sites: list[Site], catalogue: Catalogue, *, people: People,
    order_numbers: np.ndarray,
) -> Columns:  # fmt: skip
    """``lantern_events``: one row per event, in the order of time."""
    sort = np.lexsort((events["session"], events["action"], events["moment"]))
    events = {name: values[sort] for name, values in events.items()}
    action, article, country = events["action"], events["article"], people.country
    size = action.size
    codes = np.array(catalogue.codes, dtype=object)
    looks = np.isin(action, (LOOK, CART))
    paths = np.array(PATHS, dtype=object)[action]
    paths[action == LOOK] = paths[action == LOOK] + codes[article[action == LOOK]]
    language = {"zh": 1, "fa": 2, "en": 0}[country.language]
    words = [good[language] for good in catalogue.goods]
    cookies = people.cookies[events["person"], events["cookie"]]
    strangers = events["person"] < 0
    cookies[strangers] = [f"x{n:09d}" for n in events["stranger"][strangers].tolist()]
    stamp = (events["moment"] * 100).astype("datetime64[ms]").astype("U23")
    if size:  # numpy replaces nothing in an empty array
        stamp = np.char.replace(stamp, "T", " ")
    head = f"E{country.code}{week.number:04d}"
    return {
        "eid": text([f"{head}{n:07d}" for n in range(size)]),
        "site": picked(events["site"], [site.code for site in sites]),
        "cookie": text(cookies),
        "club_no": picked(events["account"], people.club_numbers),
        "happened": text(stamp),
        "action": picked(action, ACTIONS),
        "path": text(paths),
        "sku": picked(np.where(looks, article, -1), catalogue.codes),
        "query": picked(np.where(action == FIND, article, -1), words),
        "dwell": decimal(events["dwell"], 1, ~events["is_last"]),
        "source": picked(events["source"], SOURCES[country.code]),
        "device": picked(events["device"], DEVICES),
        "order_no": picked(np.where(action == BUY, events["order"], -1), order_numbers),
    }
