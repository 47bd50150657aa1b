"""What is really so: the answers that no delivered file contains.

Belongs here: the tables below ``<out>/truth``. Does not: anything a feed reads. A mining job or a
match may be judged against them; nothing may learn from them.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from dagster_project.core.simulation.catalogue import Catalogue
from dagster_project.core.simulation.columns import Columns, decimal, picked, text, whole
from dagster_project.core.simulation.demand import Market, Sales
from dagster_project.core.simulation.feasts import CHANNELS, feast_days
from dagster_project.core.simulation.people import NEVER, SPELLINGS, People
from dagster_project.core.simulation.plan import Country, Plan, Site, Week
from dagster_project.core.simulation.receipts import ClosedWeek, SlowStep
from dagster_project.core.simulation.tills import Rows
from dagster_project.core.simulation.words_goods import COMPANIONS, DEPARTMENTS


def _dates(plan: Plan, days: np.ndarray) -> list[str | None]:
    """Dates of days, missing where the day never comes."""
    return [None if day >= NEVER else plan.day(day).isoformat() for day in days.tolist()]


def person_columns(plan: Plan, people: People) -> Columns:
    """``persons``: one row per person; from the churn date on they no longer buy."""
    homes = {site.number: site.code for site in plan.sites}
    return {
        "person_id": people.ids,
        "country_code": text([people.country.code] * people.size),
        "home_store_code": text([homes[int(home)] for home in people.home]),
        "buys_from": text(_dates(plan, np.maximum(people.from_day, 0))),
        "churned_on": text(_dates(plan, people.churn_day)),
        "is_churned": text(np.where(people.churn_day < NEVER, "true", "false").astype(object)),
        "visit_weight": text([f"{value:.6f}" for value in people.visits]),
        "web_weight": text([f"{value:.6f}" for value in people.web]),
    }


def record_columns(people: People) -> Columns:
    """``person_records``: one row per identifier that belongs to a person, in every spelling.

    ``kind`` is member, visitor, handle, card, phone, email or name; a phone that a shop's cashier
    typed for many members stands here as ``hub_phone`` without a person.
    """
    ids, accounts = people.ids.to_pylist(), people.accounts
    rows: list[tuple[str | None, str, str, str]] = []
    member = zip(accounts.person.tolist(), accounts.number, accounts.spelling, strict=True)
    rows += [(ids[p], "member", number, SPELLINGS[s]) for p, number, s in member]
    for place, person in enumerate(ids):
        rows += [(person, "visitor", cookie, "plain") for cookie in people.cookies[place]]
        if people.handle[place] is not None:
            rows.append((person, "handle", people.handle[place], "plain"))
        if people.card[place] is not None:
            rows.append((person, "card", people.card[place], "plain"))
        for kind, spelled in (
            ("phone", people.phones), ("email", people.emails), ("name", people.names)
        ):  # fmt: skip
            pairs = zip(spelled[place], SPELLINGS, strict=True)
            rows += [(person, kind, value, spelling) for value, spelling in pairs]
    rows.append((None, "hub_phone", people.hub_phone, "plain"))
    names = ("person_id", "kind", "value", "spelling")
    return {name: text([row[n] for row in rows]) for n, name in enumerate(names)}


def receipt_person_columns(closed: ClosedWeek, people: People) -> Columns:
    """``receipt_persons``: who stood at the till, for receipts of people who are followed."""
    known = np.flatnonzero(closed.receipts["person"] >= 0)
    return {
        "receipt_id": text(closed.bons[known]),
        "person_id": picked(closed.receipts["person"][known], people.ids),
    }


def order_person_columns(orders: Rows, people: People) -> Columns:
    """``order_persons``: who ordered, whether as a guest, and how they spelled their contacts."""
    guest = orders["account"] < 0
    return {
        "order_id": text(orders["number"]),
        "person_id": picked(orders["person"], people.ids),
        "is_guest": picked(np.where(guest, 0, 1), ["true", "false"]),
        "spelling": picked(orders["spelling"], SPELLINGS),
    }


def elasticity_columns(catalogue: Catalogue) -> Columns:
    """``elasticities``: per cent of demand for one per cent of price, by article."""
    return {
        "product_code": text(catalogue.codes),
        "elasticity": text([f"{value:.6f}" for value in catalogue.elasticity]),
        "base_price": decimal(catalogue.base_price, catalogue.country.minor_digits),
        "popularity": text([f"{value:.8f}" for value in catalogue.popularity]),
    }


def promotion_columns(plan: Plan, catalogue: Catalogue) -> Columns:
    """``promotion_effects``: by promotion and article; total lift = uplift × price effect."""
    rows = [
        (
            p.code, catalogue.codes[a], f"{p.uplift:.2f}", f"{p.discount:.2f}",
            f"{p.uplift * (1 - p.discount) ** catalogue.elasticity[a]:.6f}",
            plan.day(p.first_day).isoformat(), plan.day(p.last_day).isoformat(),
        )
        for p in catalogue.promotions
        for a in p.articles
    ]  # fmt: skip
    names = (
        "promotion_code", "product_code", "uplift", "discount_share", "total_lift", "starts_on",
        "ends_on",
    )  # fmt: skip
    return {name: text([row[n] for row in rows]) for n, name in enumerate(names)}


def feast_columns(plan: Plan, country: Country) -> Columns:
    """``feast_effects``: factor on demand by feast, day, channel and department."""
    rows = [
        (
            feast.name, country.code, channel, department.name, plan.day(day).isoformat(),
            str(offset), f"{feast.factor(channel, offset, department.name):.6f}",
        )
        for feast, day, offset in feast_days(plan, country)
        for channel in CHANNELS
        for department in DEPARTMENTS
    ]  # fmt: skip
    names = (
        "feast", "country_code", "channel", "department", "business_date", "offset_days", "factor",
    )  # fmt: skip
    return {name: text([row[n] for row in rows]) for n, name in enumerate(names)}


def weekday_columns(country: Country) -> Columns:
    """``weekday_effects``: factor on demand by weekday, 1 is Monday."""
    return {
        "country_code": text([country.code] * 7),
        "weekday_number": whole(np.arange(1, 8)),
        "factor": text([f"{value:.2f}" for value in country.weekdays]),
    }


def season_columns() -> Columns:
    """``season_effects``: 1 + share × cos(2π (day of year − top) / 365.25) by department."""
    return {
        "department": text([department.name for department in DEPARTMENTS]),
        "share": text([f"{department.season[0]:.2f}" for department in DEPARTMENTS]),
        "top_day_of_year": whole(np.array([department.season[1] for department in DEPARTMENTS])),
    }


def companion_columns() -> Columns:
    """``companions``: goods that follow others into a basket with a stated probability."""
    return {
        "leader": text([leader for leader, _, _ in COMPANIONS]),
        "follower": text([follower for _, follower, _ in COMPANIONS]),
        "probability": text([f"{share:.2f}" for _, _, share in COMPANIONS]),
    }


def sold_out_columns(plan: Plan, market: Market, week: Week, sales: Sales) -> Columns:
    """``sold_out``: one row per store, article and day that ended with an empty shelf.

    Units are pieces, or sales of a weighed article.
    """
    site, article, day = np.nonzero(sales.left == 0)
    wanted, sold = (values[site, article, day] for values in (sales.wanted, sales.sold))
    return {
        "store_code": picked(site, [s.code for s in market.sites]),
        "product_code": picked(article, market.catalogue.codes),
        "business_date": picked(day, [plan.day(d).isoformat() for d in week.days]),
        "demand_units": whole(wanted),
        "sold_units": whole(sold),
        "hidden_units": whole(wanted - sold),
    }


def fraud_columns(
    plan: Plan, closed: ClosedWeek, kept: np.ndarray, kept_name: str, sites: list[Site]
) -> Columns:
    """``frauds``: one row per planted receipt: what was done, by whom, with which card."""
    receipts = closed.receipts
    planted = np.flatnonzero(receipts["fraud"] != None)  # noqa: E711 - element by element
    rows = np.concatenate([planted, np.flatnonzero(kept)])
    kind = [*receipts["fraud"][planted].tolist(), *([kept_name] * int(kept.sum()))]
    codes = [site.code for site in sites]
    cashier = zip(receipts["site"][rows].tolist(), receipts["cashier"][rows].tolist(), strict=True)
    return {
        "fraud": text(kind),
        "receipt_id": text(closed.bons[rows]),
        "store_code": picked(receipts["site"][rows], codes),
        "business_date": text(_dates(plan, receipts["day"][rows])),
        "operator_code": text([f"{codes[site]}-K{number:02d}" for site, number in cashier]),
        "card_number": text(receipts["pan"][rows]),
    }


def slow_step_columns(plan: Plan, slow: SlowStep, sites: list[Site]) -> Columns:
    """``slow_step``: the one till and step that is slower than it should be."""
    return {
        "store_code": text([sites[slow.site].code]),
        "terminal_code": text([str(slow.terminal)]),
        "step_code": text(["payment"]),
        "from_date": text(_dates(plan, np.array([slow.first_day]))),
        "to_date": text(_dates(plan, np.array([slow.last_day]))),
        "factor": text([f"{slow.factor:.2f}"]),
        "error_share": text([f"{slow.error_share:.2f}"]),
    }


def argument_columns(plan: Plan) -> Columns:
    """``arguments``: what was simulated."""
    values: dict[str, int | str | date] = {
        "stores": plan.stores, "days": plan.days, "customers": plan.customers, "seed": plan.seed,
        "faults": plan.faults, "start": plan.start,
    }  # fmt: skip
    return {name: text([str(value)]) for name, value in values.items()}
