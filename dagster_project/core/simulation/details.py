"""What some tills tell in detail: every discount and tax of a receipt, and coupons.

Belongs here: the discounts and taxes that a line's sums are made of, for receipts of the tills
that keep them. Does not: the sums (``baskets``). Details of a line add up to what the line says.
"""

from __future__ import annotations

import numpy as np

from dagster_project.core.simulation.catalogue import Catalogue
from dagster_project.core.simulation.columns import (
    Columns,
    decimal,
    local_times,
    picked,
    text,
    whole,
)
from dagster_project.core.simulation.people import People
from dagster_project.core.simulation.plan import Country, Plan, Site
from dagster_project.core.simulation.receipts import ClosedWeek, rank_within
from dagster_project.core.simulation.tills import LINE_VOID, RETURN, SALE, Rows
from dagster_project.core.simulation.words_goods import DEPARTMENTS

EVERY_SHOP = 3  # every third shop of a country has tills that keep details …
EVERY_RECEIPT = 8  # … and sends them for every eighth receipt
COUPON_EVERY = 2  # every other promotion of articles is a coupon of members
COUPON_PARTS = 2  # half of such a line's reduction is the coupon's
PROMOTION, COUPON = range(2)
KINDS = ("action", "coupon")
AMOUNT_OFF = "amount_off"  # given on the whole receipt, as a spend-and-save is
TAX_CLASSES = ("food", "standard")


def detailed_lines(closed: ClosedWeek) -> np.ndarray:
    """Places of the lines whose discounts and taxes are told."""
    receipts, owner = closed.receipts, closed.lines["receipt"]
    told = (receipts["site"] % EVERY_SHOP == 0) & np.isin(receipts["kind"], (SALE, RETURN))
    told &= np.arange(told.size) % EVERY_RECEIPT == 0
    return np.flatnonzero(told[owner] & (closed.lines["kind"] != LINE_VOID))


def make_discounts(closed: ClosedWeek, catalogue: Catalogue) -> Rows:
    """Discounts of the detailed lines; ``pos`` is 0 where one is on the whole receipt."""
    chosen = detailed_lines(closed)
    lines = {name: closed.lines[name][chosen] for name in (
        "receipt", "pos", "discount", "promotion", "kind"
    )}  # fmt: skip
    given = lines["discount"] != 0
    lines = {name: values[given] for name, values in lines.items()}
    mechanics = np.array([p.mechanic == AMOUNT_OFF for p in catalogue.promotions] or [False])
    whole_receipt = mechanics[lines["promotion"]]
    member = closed.receipts["account"][lines["receipt"]] >= 0
    coupon = is_coupon(lines["promotion"]) & member & ~whole_receipt & (lines["discount"] > 1)
    part = np.where(coupon, lines["discount"] // COUPON_PARTS, 0)
    parts = (
        (~whole_receipt, PROMOTION, lines["discount"] - part, lines["pos"]),
        (coupon, COUPON, part, lines["pos"]),
    )
    rows = [
        {
            "receipt": lines["receipt"][where], "pos": pos[where], "amount": amount[where],
            "promotion": lines["promotion"][where], "kind": np.full(int(where.sum()), kind),
        }
        for where, kind, amount, pos in parts
    ]  # fmt: skip
    rows.append(_on_receipts({name: values[whole_receipt] for name, values in lines.items()}))
    joined = {name: np.concatenate([part[name] for part in rows]) for name in rows[0]}
    sort = np.lexsort((joined["kind"], joined["promotion"], joined["pos"], joined["receipt"]))
    joined = {name: values[sort] for name, values in joined.items()}
    return joined | {"nr": rank_within(joined["receipt"]) + 1}


def _on_receipts(lines: Rows) -> Rows:
    """One row per receipt and promotion for what it took off all of its lines."""
    most = int(lines["promotion"].max(initial=0)) + 1
    keys, place = np.unique(lines["receipt"] * most + lines["promotion"], return_inverse=True)
    return {
        "receipt": keys // most, "pos": np.zeros(keys.size, dtype=np.int64),
        "amount": np.bincount(place, weights=lines["discount"], minlength=keys.size).astype(
            np.int64
        ),
        "promotion": keys % most, "kind": np.full(keys.size, PROMOTION),
    }  # fmt: skip


def is_coupon(promotion: np.ndarray) -> np.ndarray:
    """Whether a promotion comes with a coupon for members."""
    return promotion % COUPON_EVERY == 0


def coupon_code(promotion_code: str) -> str:
    """Code of a promotion's coupon."""
    return f"C-{promotion_code}"


def discount_columns(
    rows: Rows, closed: ClosedWeek, catalogue: Catalogue, country: Country
) -> Columns:
    """``lantern_discounts``: one row per discount on a line or a whole receipt."""
    codes = [p.code for p in catalogue.promotions]
    coupon = rows["kind"] == COUPON
    return {
        "bon_no": picked(rows["receipt"], text(closed.bons)),
        "nr": whole(rows["nr"]),
        "pos": whole(rows["pos"], rows["pos"] > 0),
        "kind": picked(rows["kind"], KINDS),
        "action_code": picked(rows["promotion"], codes),
        "coupon": picked(np.where(coupon, rows["promotion"], -1), [coupon_code(c) for c in codes]),
        "amount": decimal(rows["amount"], country.minor_digits),
        "closed_at": local_times(closed.moments[rows["receipt"]], country.time_zone),
    }


def tax_columns(closed: ClosedWeek, catalogue: Catalogue, country: Country) -> Columns:
    """``lantern_taxes``: one row per line of the detailed receipts and the tax on it."""
    chosen = detailed_lines(closed)
    lines = {name: values[chosen] for name, values in closed.lines.items()}
    food = np.array([DEPARTMENTS[d].is_food for d in catalogue.departments])
    article, digits = lines["article"], country.minor_digits
    return {
        "bon_no": picked(lines["receipt"], text(closed.bons)),
        "nr": whole(rank_within(lines["receipt"]) + 1),
        "pos": whole(lines["pos"]),
        "class": picked(np.where(food[article], 0, 1), TAX_CLASSES),
        "base": decimal(lines["list"] - lines["discount"], digits),
        "rate": decimal(catalogue.tax_rate[article], 4),
        "amount": decimal(lines["tax"], digits),
        "closed_at": local_times(closed.moments[lines["receipt"]], country.time_zone),
    }


def redemption_columns(
    plan: Plan, rows: Rows, closed: ClosedWeek, catalogue: Catalogue, *, country: Country,
    sites: list[Site], people: People,
) -> Columns:  # fmt: skip
    """``lantern_redemptions``: one row per coupon a member gave in, numbered within the day."""
    used = {name: values[rows["kind"] == COUPON] for name, values in rows.items()}
    receipt = used["receipt"]
    account, day = closed.receipts["account"][receipt], closed.receipts["day"][receipt]
    sort = np.lexsort((used["nr"], receipt, used["promotion"], day, account))
    used = {name: values[sort] for name, values in used.items()}
    receipt, account, day = receipt[sort], account[sort], day[sort]
    number = rank_within(
        (account * plan.days + day) * len(catalogue.promotions) + used["promotion"]
    )
    codes = [p.code for p in catalogue.promotions]
    moments = closed.moments[receipt]
    return {
        "coupon": picked(used["promotion"], [coupon_code(code) for code in codes]),
        "action_code": picked(used["promotion"], codes),
        "club_no": picked(account, people.club_numbers),
        "day": text([plan.day(d).isoformat() for d in day.tolist()]),
        "nr": whole(number + 1),
        "bon": picked(receipt, text(closed.bons)),
        "shop": picked(closed.receipts["site"][receipt], [site.code for site in sites]),
        "amount": decimal(used["amount"], country.minor_digits),
        "used_at": local_times(moments, country.time_zone),
    }


def coupon_columns(plan: Plan, catalogue: Catalogue) -> Columns:
    """``lantern_coupons``: one row per coupon and article it is good for."""
    rows = [
        (promotion, catalogue.codes[article])
        for place, promotion in enumerate(catalogue.promotions)
        if place % COUPON_EVERY == 0 and promotion.discount > 0
        and promotion.mechanic != AMOUNT_OFF
        for article in promotion.articles
    ]  # fmt: skip
    return {
        "coupon": text([coupon_code(p.code) for p, _ in rows]),
        "action_code": text([p.code for p, _ in rows]),
        "article": text([article for _, article in rows]),
        "title": text([f"{p.title} coupon" for p, _ in rows]),
        "pct_off": text([str(round(p.discount * 100 / COUPON_PARTS)) for p, _ in rows]),
        "first_day": text([plan.day(p.first_day).isoformat() for p, _ in rows]),
        "last_day": text([plan.day(p.last_day).isoformat() for p, _ in rows]),
    }
