"""A closed week of tills as the four exports of the shop system.

Belongs here: the sender's column names and codes. Does not: how the week came about.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from dagster_project.core.simulation.catalogue import Catalogue
from dagster_project.core.simulation.columns import (
    Columns,
    decimal,
    flag,
    local_times,
    picked,
    same,
    text,
    whole,
)
from dagster_project.core.simulation.people import People
from dagster_project.core.simulation.plan import Country, Site
from dagster_project.core.simulation.receipts import ENTRY, STEP_CODES, ClosedWeek
from dagster_project.core.simulation.tills import (
    ALI,
    KIND_CODES,
    LINE_CODES,
    LINE_RETURN,
    MEANS_CODES,
    NO_SALE,
    WX,
)
from dagster_project.core.simulation.words_people import CARD_BINS

DIALECT = "header, delimiter ';'"


def receipt_columns(
    closed: ClosedWeek, sites: list[Site], country: Country, people: People
) -> Columns:
    """``lantern_receipts``: one row per till transaction."""
    receipts, digits = closed.receipts, country.minor_digits
    account = picked(receipts["account"], people.club_numbers)
    codes = [site.code for site in sites]
    count = receipts["site"].size
    seconds = np.bincount(
        closed.steps["receipt"], weights=closed.steps["tenths"], minlength=count
    ).astype(np.int64)
    sold = closed.moments
    rung_up = receipts["kind"] != NO_SALE
    return {
        "bon_no": text(closed.bons),
        "bon_kind": picked(receipts["kind"], KIND_CODES),
        "shop": picked(receipts["site"], codes),
        "till": whole(receipts["terminal"]),
        "cashier": cashiers(receipts["site"], receipts["cashier"], codes),
        "club_card": account,
        "closed_at": local_times(sold, country.time_zone),
        # Head office collects the tills' journals at 02:00 UTC.
        "written_at": local_times(sold // 86400 * 86400 + 86400 + 7200, country.time_zone),
        "curr": same(country.currency, count),
        "positions": whole(receipts["items"]),
        "to_pay": decimal(receipts["total"], digits, rung_up),
        "cash_rounding": decimal(receipts["rounding"], digits, rung_up),
        "secs": whole(seconds // 10),
    }


def cashiers(site: np.ndarray, cashier: np.ndarray, codes: list[str]) -> pa.Array:
    """Operator codes: the shop's and a number."""
    most = int(cashier.max(initial=1)) + 1
    words = [f"{code}-K{n:02d}" for code in codes for n in range(most)]
    return picked(site * most + cashier, words)


def line_columns(closed: ClosedWeek, catalogue: Catalogue, country: Country) -> Columns:
    """``lantern_lines``: one row per receipt line."""
    lines, digits = closed.lines, country.minor_digits
    bons = text(closed.bons)
    closed_at = local_times(closed.moments, country.time_zone)
    return {
        "bon_no": picked(lines["receipt"], bons),
        "pos": whole(lines["pos"]),
        "kind": picked(lines["kind"], LINE_CODES),
        "article": picked(lines["article"], catalogue.codes),
        "qty": decimal(lines["milli"], 3),
        "price_each": decimal(lines["price"], digits),
        "list_value": decimal(lines["list"], digits),
        "reduction": decimal(lines["discount"], digits),
        "vat": decimal(lines["tax"], digits),
        "cost": decimal(lines["cost"], digits),
        "action_code": picked(lines["promotion"], [p.code for p in catalogue.promotions]),
        "ref_bon": text(lines["ref_bon"]),
        "ref_pos": whole(lines["ref_pos"], (lines["kind"] == LINE_RETURN) & (lines["ref_pos"] > 0)),
        "closed_at": picked(lines["receipt"], closed_at),
    }


def tender_columns(closed: ClosedWeek, country: Country, cvv: np.ndarray | None) -> Columns:
    """``lantern_tenders``: one row per tender movement; ``cvv`` only from a broken till."""
    tenders = closed.tenders
    closed_at = local_times(closed.moments, country.time_zone)
    size = tenders["receipt"].size
    entries = ["chip", "contactless", "magnetic", "qr"]
    places = {means: entries.index(name) for means, name in ENTRY.items()} | {ALI: 3, WX: 3}
    entry = np.array([places.get(means, -1) for means in range(len(MEANS_CODES))])
    card = tenders["bin"] >= 0
    return {
        "bon_no": picked(tenders["receipt"], text(closed.bons)),
        "nr": whole(tenders["nr"]),
        "means": picked(tenders["means"], MEANS_CODES),
        "amount": decimal(tenders["amount"], country.minor_digits),
        "curr": same(country.currency, size),
        "pan": text(tenders["pan"]),
        "cvv": same(None, size) if cvv is None else whole(cvv, card),
        "issuer": picked(tenders["bin"], [name for _, name in CARD_BINS[country.code]]),
        "entry": picked(entry[tenders["means"]], entries),
        "auth": codes_of(tenders["auth"], 6),
        "ref": codes_of(tenders["ref"], 11),
        "closed_at": picked(tenders["receipt"], closed_at),
    }


def codes_of(numbers: np.ndarray, width: int) -> pa.Array:
    """Numbers as codes of a fixed width; missing where negative."""
    return text([None if n < 0 else f"{n:0{width}d}" for n in numbers.tolist()])


def step_columns(closed: ClosedWeek, country: Country) -> Columns:
    """``lantern_steps``: one row per operator step."""
    steps = closed.steps
    receipt, tenths = steps["receipt"], steps["tenths"]
    # The last step ends when the receipt is closed.
    until = np.cumsum(tenths)
    last = np.bincount(receipt, weights=tenths, minlength=closed.bons.size).cumsum()
    began = closed.moments[receipt] * 10 - (last[receipt].astype(np.int64) - until) - tenths
    return {
        "bon_no": picked(receipt, text(closed.bons)),
        "step": whole(steps["nr"]),
        "what": picked(steps["code"], STEP_CODES),
        "begun_at": local_times(began // 10, country.time_zone),
        "secs": decimal(tenths, 1),
        "error": flag(steps["error"], "1", "0"),
        "override": flag(steps["override"], "1", "0"),
    }
