"""Closing the till journal of a week: numbers, totals, cash rounding, tenders, operator steps.

Belongs here: everything on a receipt that follows from its lines. Does not: the lines (``tills``).
Every receipt balances: the gross of its lines that are not void, plus rounding, is the sum of
its tenders.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.core.simulation.demand import Market
from dagster_project.core.simulation.people import People
from dagster_project.core.simulation.plan import Plan, Site, Week
from dagster_project.core.simulation.tills import (
    CARDS,
    CASH,
    CHIP,
    GIFT,
    LINE_VOID,
    NO_SALE,
    POINTS,
    RETURN,
    SALE,
    SUSPENDED,
    SWIPE,
    TAP,
    VOID,
    Rows,
)

SHIFT_CHANGE = 15 * 3600
GIFT_SHARE = 0.02
GIFT_STEP = 100
GIFT_FROM = 600  # minor units: nobody splits less
CNY_CASH_STEP = 10  # fen: no coin below one jiao is given
NOTE = {"CN": 1000, "IR": 50_000, "GB": 500}  # cash is handed over in multiples of this
SCAN, WEIGH, PAY, BAG, OVERRIDE = range(5)
STEP_CODES = ("SCAN", "WEIGH", "PAY", "BAG", "OVR")
# Seconds, in tenths, for an item, a weighed item, a payment by its means, a supervisor.
SCAN_TENTHS, WEIGH_TENTHS, BAG_TENTHS, OVERRIDE_TENTHS = 24, 45, 14, 260
PAY_TENTHS = (210, 140, 70, 160, 90, 90, 180, 60)
STEP_ERROR_SHARE = 0.012


@dataclass(frozen=True)
class SlowStep:
    """The planted slow step: one till whose payments take longer for a part of the run."""

    site: int
    terminal: int
    first_day: int
    last_day: int
    factor: float
    error_share: float


@dataclass(frozen=True)
class ClosedWeek:
    """A week's journal, numbered and balanced; ``receipt`` columns point into ``receipts``."""

    receipts: Rows
    lines: Rows
    tenders: Rows
    steps: Rows
    bons: np.ndarray  # object
    moments: np.ndarray  # seconds since 1970, by receipt


def number_receipts(
    rng: np.random.Generator, plan: Plan, sites: list[Site], receipts: Rows, lines: Rows
) -> tuple[Rows, Rows, np.ndarray]:
    """Receipts in till order with their numbers; lines in receipt order with positions."""
    shop = receipts["site"]
    terminals = np.array([site.terminals for site in sites if site.kind == "shop"])[shop]
    cashiers = np.array([site.cashiers for site in sites if site.kind == "shop"])[shop]
    drawn = 1 + (rng.random(shop.size) * terminals).astype(np.int64)
    terminal = np.where(receipts["terminal"] < 0, drawn, receipts["terminal"])
    shift = receipts["sec"] >= SHIFT_CHANGE
    rota = 1 + (terminal * 2 + receipts["day"] + shift) % cashiers
    cashier = np.where(receipts["cashier"] < 0, rota, receipts["cashier"])
    receipts = receipts | {"terminal": terminal, "cashier": cashier}
    order = np.lexsort((receipts["sec"], terminal, receipts["day"], shop))
    receipts = {name: values[order] for name, values in receipts.items()}
    group = (receipts["site"] * 100 + receipts["terminal"]) * plan.days + receipts["day"]
    sequence = rank_within(group) + 1
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    owner = place[lines["receipt"]]
    by_receipt = np.argsort(owner, kind="stable")
    lines = {name: values[by_receipt] for name, values in lines.items()}
    lines["receipt"] = owner[by_receipt]
    lines["pos"] = rank_within(lines["receipt"]) + 1
    codes = [site.code for site in sites]
    dates = [day.strftime("%y%m%d") for day in plan.dates]
    columns = (receipts[name].tolist() for name in ("site", "terminal", "day"))
    bons = np.array(
        [
            f"{codes[s]}-{t}-{dates[d]}-{q:04d}"
            for s, t, d, q in zip(*columns, sequence.tolist(), strict=True)
        ],
        dtype=object,
    )
    return receipts, lines, bons


def rank_within(group: np.ndarray) -> np.ndarray:
    """0, 1, 2 … within each run of equal values."""
    if not group.size:
        return np.zeros(0, dtype=np.int64)
    starts = np.concatenate([[True], group[1:] != group[:-1]])
    first = np.flatnonzero(starts)
    return np.arange(group.size) - np.repeat(first, np.diff(np.append(first, group.size)))


def total_receipts(receipts: Rows, lines: Rows, currency: str) -> Rows:
    """Add what is owed (``total``), cash rounding, lines, and what a crook paid and undid."""
    count = receipts["site"].size
    owed = lines["list"] - lines["discount"] + lines["tax"]
    gross = np.where(lines["kind"] == LINE_VOID, 0, owed)
    total = np.bincount(lines["receipt"], weights=gross, minlength=count).astype(np.int64)
    step = CNY_CASH_STEP if currency == "CNY" else 1
    cash = receipts["means"] == CASH
    rounding = np.where(cash, (total + step // 2) // step * step - total, 0)
    items = np.bincount(lines["receipt"], minlength=count)
    voided = np.bincount(lines["receipt"], weights=owed, minlength=count).astype(np.int64)
    paid_first = (receipts["kind"] == VOID) & (receipts["fraud"] != None)  # noqa: E711
    return receipts | {
        "total": total + rounding, "rounding": rounding, "items": items,
        "undone": np.where(paid_first, voided // step * step, 0),
    }  # fmt: skip


def make_tenders(
    rng: np.random.Generator, country: str, people: People, receipts: Rows, points: np.ndarray
) -> Rows:
    """Tender movements in receipt order; ``points`` is what each receipt pays with points."""
    paid = np.flatnonzero((receipts["total"] != 0) | (receipts["undone"] != 0))
    total, means = receipts["total"][paid], receipts["means"][paid]
    burnt, undone = points[paid], receipts["undone"][paid]
    gives = (rng.random(paid.size) < GIFT_SHARE) & (receipts["kind"][paid] == SALE)
    gives &= (total > GIFT_FROM) & (burnt == 0)
    # A whole yuan, or the rest could not be paid in cash.
    gift = np.where(gives, total // 3 // GIFT_STEP * GIFT_STEP, 0)
    rest = total - gift - burnt
    note = NOTE[country]
    handed = np.where((means == CASH) & (rest > 0), -(-rest // note) * note, rest)
    parts = (
        (0, burnt, np.full(paid.size, POINTS)),
        (1, gift, np.full(paid.size, GIFT)),
        (2, handed + undone, means),
        (3, rest - handed - undone, means),  # change, or all of it where a void undoes a payment
    )
    used = [(np.flatnonzero(amount != 0), order, amount, kind) for order, amount, kind in parts]
    receipt = np.concatenate([paid[at] for at, _, _, _ in used])
    order = np.concatenate([np.full(at.size, n) for at, n, _, _ in used])
    tenders = {
        "receipt": receipt, "order": order,
        "amount": np.concatenate([amount[at] for at, _, amount, _ in used]),
        "means": np.concatenate([kind[at] for at, _, _, kind in used]),
    }  # fmt: skip
    sort = np.lexsort((order, receipt))
    tenders = {name: values[sort] for name, values in tenders.items()}
    tenders["nr"] = rank_within(tenders["receipt"]) + 1
    return tenders | _cards_used(rng, people, receipts, tenders)


def _cards_used(rng: np.random.Generator, people: People, receipts: Rows, tenders: Rows) -> Rows:
    size = tenders["receipt"].size
    pan = np.full(size, None, dtype=object)
    bins = np.full(size, -1)
    card = np.isin(tenders["means"], CARDS)
    person = receipts["person"][tenders["receipt"]]
    own = card & (person >= 0) & (people.card_bin[person] >= 0)
    pan[own], bins[own] = people.card[person[own]], people.card_bin[person[own]]
    other = np.flatnonzero(card & ~own)
    drawn = rng.integers(0, people.other_cards.size, other.size)
    pan[other], bins[other] = people.other_cards[drawn], people.other_bins[drawn]
    given = receipts["pan"][tenders["receipt"]]
    forced = card & (given != None)  # noqa: E711 - element by element
    pan[forced] = given[forced]
    auth = np.where(tenders["means"] == CASH, -1, rng.integers(0, 10**6, size))
    return {"pan": pan, "bin": bins, "auth": auth}


def make_steps(
    rng: np.random.Generator, receipts: Rows, lines: Rows, weighed: np.ndarray,
    slow: SlowStep | None,
) -> Rows:  # fmt: skip
    """Operator steps in receipt order with durations in tenths of a second."""
    count = receipts["site"].size
    weighed_items = np.bincount(
        lines["receipt"], weights=weighed[lines["article"]], minlength=count
    ).astype(np.int64)
    kind, items = receipts["kind"], receipts["items"]
    pays = (receipts["total"] != 0) | (kind == NO_SALE)
    usual = (
        (SCAN, items * SCAN_TENTHS, items > 0),
        (WEIGH, weighed_items * WEIGH_TENTHS, weighed_items > 0),
        (OVERRIDE, np.full(count, OVERRIDE_TENTHS), (kind == RETURN) | (kind == VOID)),
        (PAY, np.array(PAY_TENTHS)[receipts["means"]], pays & (kind != SUSPENDED)),
        (BAG, 40 + items * BAG_TENTHS, kind == SALE),
    )
    chosen = [(np.flatnonzero(where), code, tenths) for code, tenths, where in usual]
    receipt = np.concatenate([at for at, _, _ in chosen])
    code = np.concatenate([np.full(at.size, c) for at, c, _ in chosen])
    mean = np.concatenate([tenths[at] for at, _, tenths in chosen])
    order = np.concatenate([np.full(at.size, n) for n, (at, _, _) in enumerate(chosen)])
    sort = np.lexsort((order, receipt))
    receipt, code, mean = receipt[sort], code[sort], mean[sort].astype(np.float64)
    error_share = np.full(receipt.size, STEP_ERROR_SHARE)
    if slow is not None:
        hit = (code == PAY) & slow_receipts(receipts, slow)[receipt]
        mean[hit] *= slow.factor
        error_share[hit] = slow.error_share
    tenths = np.maximum(5, (mean * rng.lognormal(-0.06, 0.35, receipt.size)).astype(np.int64))
    return {
        "receipt": receipt, "code": code, "tenths": tenths, "nr": rank_within(receipt) + 1,
        "error": rng.random(receipt.size) < error_share, "override": code == OVERRIDE,
    }  # fmt: skip


def slow_receipts(receipts: Rows, slow: SlowStep) -> np.ndarray:
    """Which receipts went through the slow till while it was slow."""
    there = (receipts["site"] == slow.site) & (receipts["terminal"] == slow.terminal)
    return there & (receipts["day"] >= slow.first_day) & (receipts["day"] <= slow.last_day)


def receipt_moments(receipts: Rows, midnight: np.ndarray) -> np.ndarray:
    """When each receipt was closed, in seconds since 1970."""
    return midnight[receipts["day"]] + receipts["sec"]


ENTRY = {CHIP: "chip", TAP: "contactless", SWIPE: "magnetic"}


def close_week(
    rng: np.random.Generator, week: Week, market: Market, people: People, *,
    numbered: tuple[Rows, Rows, np.ndarray], midnight: np.ndarray, points: np.ndarray,
    slow: SlowStep | None,
) -> ClosedWeek:  # fmt: skip
    """Tenders and steps of a numbered and totalled week."""
    receipts, lines, bons = numbered
    tenders = make_tenders(rng, market.country.code, people, receipts, points)
    first = (market.country.number * 1000 + week.number) * 10**7 + 10**10
    tenders["ref"] = np.where(tenders["auth"] < 0, -1, first + np.arange(tenders["auth"].size))
    steps = make_steps(rng, receipts, lines, market.catalogue.is_weighed, slow)
    return ClosedWeek(receipts, lines, tenders, steps, bons, receipt_moments(receipts, midnight))
