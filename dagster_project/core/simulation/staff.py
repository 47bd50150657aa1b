"""The people behind the tills: who they are by number, and what changed about them.

Belongs here: versions of employees, without a name. Does not: which till they work (``receipts``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.core.simulation.columns import Columns, local_times, text
from dagster_project.core.simulation.masters import HEAD_OFFICE
from dagster_project.core.simulation.plan import Country, Plan, Site, Stream, midnights

LEAD_DAYS = 390  # everybody but late joiners was hired so long before the run begins
PROMOTED_SHARE = 0.12  # of cashiers: they become shift leads
MORE_HOURS_SHARE = 0.10  # of cashiers: from part time to full time
MOVED_SHARE = 0.5  # of managers: they take over another shop of the country
AGENTS = 6  # of the service desk, in the first web shop of each country
CASHIER, LEAD, MANAGER, AGENT = "cashier", "shift_lead", "manager", "service_agent"
PART_TIME, FULL_TIME = ("part_time", "20"), ("full_time", "40")


@dataclass(frozen=True)
class Version:
    """One employee from a day on; ``change`` says what is new: hired, role, hours, shop, left."""

    day: int
    number: str
    operator: str | None
    shop: str
    role: str
    contract: tuple[str, str]
    change: str


def staff_versions(plan: Plan, country: Country) -> list[Version]:
    """Every version of a country's staff, in the order they became true."""
    rng = plan.generator(Stream.STAFF, country.number)
    shops = plan.shops(country)
    found: list[Version] = []
    for shop in shops:
        for cashier in range(1, shop.cashiers + 1):
            found += _cashier(plan, rng, shop, cashier)
    for place, shop in enumerate(shops):
        hired = _manager(shop)
        found.append(hired)
        if len(shops) > 1 and rng.random() < MOVED_SHARE:
            other = shops[(place + 1) % len(shops)].code
            found.append(_changed(plan, rng, hired, shop=other, change="shop"))
    web = plan.online(country)[0].code
    found += [
        Version(
            -LEAD_DAYS, f"{web}-E{n:03d}", agent_code(country, n), web, AGENT, FULL_TIME, "hired"
        )
        for n in range(AGENTS)
    ]  # fmt: skip
    return sorted(found, key=lambda version: (version.day, version.number))


def _cashier(plan: Plan, rng: np.random.Generator, shop: Site, cashier: int) -> list[Version]:
    code = f"{shop.code}-K{cashier:02d}"
    contract = FULL_TIME if rng.random() < 0.4 else PART_TIME
    hired = Version(
        -LEAD_DAYS, f"{shop.code}-E{cashier:03d}", code, shop.code, CASHIER, contract, "hired"
    )
    draw = rng.random()
    if draw < PROMOTED_SHARE:
        return [hired, _changed(plan, rng, hired, role=LEAD, change="role")]
    if draw < PROMOTED_SHARE + MORE_HOURS_SHARE and contract == PART_TIME:
        return [hired, _changed(plan, rng, hired, contract=FULL_TIME, change="hours")]
    return [hired]


def _manager(shop: Site) -> Version:
    number = f"{shop.code}-E900"
    return Version(-LEAD_DAYS, number, None, shop.code, MANAGER, FULL_TIME, "hired")


def _changed(
    plan: Plan, rng: np.random.Generator, old: Version, *, change: str, shop: str | None = None,
    role: str | None = None, contract: tuple[str, str] | None = None,
) -> Version:  # fmt: skip
    """The same person from a day of the run's middle half on."""
    day = int(rng.integers(plan.days // 4, max(plan.days // 4 + 1, plan.days * 3 // 4)))
    return Version(
        day, old.number, old.operator, shop or old.shop, role or old.role,
        contract or old.contract, change,
    )  # fmt: skip


def agent_code(country: Country, number: int) -> str:
    """Operator code of an agent of the service desk."""
    return f"{country.code}-S{number:02d}"


def employee_columns(plan: Plan, country: Country, versions: list[Version]) -> Columns:
    """``lantern_employees``: one row per employee and version."""
    starts = midnights(plan, country.time_zone)
    days = np.array([version.day for version in versions])
    inside = np.maximum(days, 0)
    moments = starts[inside] + (days - inside) * 86400
    hired = plan.day(-LEAD_DAYS).isoformat()
    return {
        "staff_no": text([version.number for version in versions]),
        "valid_from": local_times(moments, HEAD_OFFICE, with_offset=False),
        "till_code": text([version.operator for version in versions]),
        "shop": text([version.shop for version in versions]),
        "job": text([version.role for version in versions]),
        "contract": text([version.contract[0] for version in versions]),
        "hours": text([version.contract[1] for version in versions]),
        "hired": text([hired] * len(versions)),
        "state": text(["active"] * len(versions)),
    }


def change_columns(plan: Plan, versions: list[Version]) -> Columns:
    """``staff_changes``: one row per change of an employee during the run."""
    changed = [version for version in versions if version.change != "hired"]
    return {
        "employee_number": text([version.number for version in changed]),
        "operator_code": text([version.operator for version in changed]),
        "change": text([version.change for version in changed]),
        "from_date": text([plan.day(version.day).isoformat() for version in changed]),
        "store_code": text([version.shop for version in changed]),
        "role_code": text([version.role for version in changed]),
        "weekly_hours": text([version.contract[1] for version in changed]),
    }
