"""A week of orders as the web shop's exports, and of all electronic payments as bills.

Belongs here: the senders' column names and codes. Does not: how the week came about.
"""

from __future__ import annotations

import numpy as np

from dagster_project.core.simulation.catalogue import Catalogue
from dagster_project.core.simulation.columns import (
    Columns,
    decimal,
    local_times,
    picked,
    same,
    text,
    whole,
)
from dagster_project.core.simulation.people import People
from dagster_project.core.simulation.plan import Country, Site
from dagster_project.core.simulation.till_files import codes_of
from dagster_project.core.simulation.tills import Rows
from dagster_project.core.simulation.web import BACK, LINE_KINDS, METHODS, STATES
from dagster_project.core.simulation.words_people import CARD_BINS

CHANGE_SECONDS = 3600  # an order is exported an hour after it was placed
NOTES = {
    "CN": ("请放门口", "工作日送货", "发票抬头个人"),
    "IR": ("لطفا زنگ بزنید", "تحویل عصر", "بسته بندی هدیه"),
    "GB": ("Leave with a neighbour", "Please ring twice", "Gift wrap, please"),
}


def order_columns(
    orders: Rows, moments: np.ndarray, country: Country, sites: list[Site], people: People
) -> Columns:
    """``lantern_orders``: one row per order or return order."""
    person, spelling = orders["person"], orders["spelling"]
    phone = people.phones[person, spelling]
    mail = people.emails[person, spelling]
    phone[~orders["gives_phone"]] = None
    # Everybody leaves one of the two.
    mail[~orders["gives_mail"] & orders["gives_phone"]] = None
    kinds = [site.kind for site in sites]
    noted = (person * 31 + orders["day"]) % 12
    return {
        "order_no": text(orders["number"]),
        "state": picked(orders["state"], STATES),
        "shop": picked(orders["site"], [site.code for site in sites]),
        "via": picked(orders["site"], kinds),
        "club_no": picked(orders["account"], people.club_numbers),
        "mail": text(mail),
        "mobile": text(phone),
        "receiver": text(people.names[person, spelling]),
        "street": text(people.streets[person]),
        "town": text(people.town[person]),
        "cookie": text(people.cookies[person, orders["cookie"]]),
        "placed_at": local_times(moments, country.time_zone),
        "changed_at": local_times(moments + CHANGE_SECONDS, country.time_zone),
        "curr": same(country.currency, person.size),
        "sum_total": decimal(orders["total"], country.minor_digits),
        "note": picked(np.where(noted < 3, noted, -1), NOTES[country.code]),
    }


def order_line_columns(
    orders: Rows, lines: Rows, moments: np.ndarray, country: Country, catalogue: Catalogue
) -> Columns:
    """``lantern_order_lines``: one row per order line, postage included."""
    digits = country.minor_digits
    return {
        "order_no": picked(lines["order"], text(orders["number"])),
        "pos": whole(lines["pos"]),
        "kind": picked(lines["kind"], LINE_KINDS),
        "sku": picked(lines["article"], catalogue.codes),
        "units": decimal(lines["milli"], 3),
        "unit_net": decimal(lines["price"], digits),
        "list_net": decimal(lines["list"], digits),
        "rebate": decimal(lines["discount"], digits),
        "vat": decimal(lines["tax"], digits),
        "cost": decimal(lines["cost"], digits),
        "campaign": picked(lines["promotion"], [p.code for p in catalogue.promotions]),
        "from_order": text(lines["from_order"]),
        "from_pos": whole(lines["from_pos"], lines["kind"] == BACK),
        "placed_at": picked(lines["order"], local_times(moments, country.time_zone)),
    }


def payment_columns(
    orders: Rows, payments: Rows, moments: np.ndarray, country: Country, cvv: np.ndarray | None
) -> Columns:
    """``lantern_order_payments``: one row per payment or refund."""
    size = payments["order"].size
    card = payments["bin"] >= 0
    return {
        "order_no": picked(payments["order"], text(orders["number"])),
        "nr": whole(payments["nr"]),
        "method": picked(payments["method"], METHODS),
        "amount": decimal(payments["amount"], country.minor_digits),
        "curr": same(country.currency, size),
        "pan": text(payments["pan"]),
        "cvv": same(None, size) if cvv is None else whole(cvv, card),
        "issuer": picked(payments["bin"], [name for _, name in CARD_BINS[country.code]]),
        "auth": codes_of(payments["auth"], 6),
        "psp_ref": codes_of(payments["ref"], 11),
        "parts": whole(payments["parts"]),
        "placed_at": picked(payments["order"], local_times(moments, country.time_zone)),
    }
