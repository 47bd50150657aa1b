"""The members' club: versions of members, the points ledger, consents.

Belongs here: what the club knows and books. Does not: who the people are (``people``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.core.simulation.columns import Columns, local_times, picked, text, whole
from dagster_project.core.simulation.masters import HEAD_OFFICE
from dagster_project.core.simulation.people import NEVER, TIERS, People
from dagster_project.core.simulation.plan import Country, Plan, Stream, midnights

BLOCK = 100  # points are used by the hundred …
BLOCK_WORTH = 1  # … and a hundred are worth what one point costs to earn
BURN_SHARE = 0.06
BURN_LEAST = 300
PURPOSES = ("marketing", "profiling", "sharing")
GRANTED = (0.72, 0.60, 0.18)
WITHDRAWN_SHARE = 0.06
MINUTES = 720  # of a working day at head office


@dataclass(frozen=True)
class Versions:
    """Member versions: account, when true, tier, whether the address or state changed."""

    account: np.ndarray
    day: np.ndarray
    second: np.ndarray
    tier: np.ndarray
    moved: np.ndarray
    state: np.ndarray  # object: A active, C closed


def member_versions(plan: Plan, people: People) -> Versions:
    """Joining, a change of tier for frequent members, a move, the closing of some accounts."""
    rng = plan.generator(Stream.CLUB, people.country.number, 0)
    accounts = people.accounts
    size = accounts.person.size
    every = np.arange(size)
    frequent = np.argsort(np.argsort(-people.visits[accounts.person])) / max(1, size)
    best = np.where(frequent < 0.08, 2, np.where(frequent < 0.30, 1, 0))
    rises = every[(best > 0)]
    rise_day = np.maximum(accounts.joined_day[rises] + 30, rng.integers(-60, plan.days, rises.size))
    moves = every[rng.random(size) < 0.05]
    move_day = np.maximum(accounts.joined_day[moves] + 1, rng.integers(0, plan.days, moves.size))
    churn = people.churn_day[accounts.person]
    closes = every[(churn < NEVER) & (rng.random(size) < 0.25)]
    close_day = np.maximum(churn[closes] + 7, accounts.joined_day[closes] + 1)
    account = np.concatenate([every, rises, moves, closes])
    day = np.concatenate([accounts.joined_day, rise_day, move_day, close_day])
    what = np.repeat([0, 1, 2, 3], [size, rises.size, moves.size, closes.size])
    order = np.lexsort((what, day, account))
    account, day, what = account[order], day[order], what[order]
    # What an earlier version changed stays true in the later ones.
    tier = np.where(_so_far(account, what == 1), best[account], 0)
    kept = day < plan.days
    return Versions(
        account=account[kept], day=day[kept], tier=tier[kept],
        second=(28800 + 7 * account + 60 * rng.integers(0, MINUTES, account.size) + what)[kept],
        moved=_so_far(account, what == 2)[kept],
        state=np.where(_so_far(account, what == 3), "C", "A").astype(object)[kept],
    )  # fmt: skip


def _so_far(group: np.ndarray, happened: np.ndarray) -> np.ndarray:
    """Whether it happened on this row or an earlier one of the same group (groups in runs)."""
    total = np.cumsum(happened)
    starts = np.searchsorted(group, group, side="left")
    before = np.concatenate([[0], total])[starts]
    return total > before


def member_columns(
    plan: Plan, people: People, versions: Versions, chosen: np.ndarray, moment: np.ndarray
) -> Columns:
    """``lantern_members``: one row per chosen version, in the order of time."""
    chosen = chosen[np.lexsort((versions.account[chosen], moment[chosen]))]
    country, accounts = people.country, people.accounts
    account = versions.account[chosen]
    person, spelling = accounts.person[account], accounts.spelling[account]
    joined = midnights_before(plan, country, accounts.joined_day[account])
    phones = people.phones[person, spelling]
    hub = accounts.is_hub_phone[account]
    phones[hub] = people.hub_phone
    streets = people.streets[person]
    moved = versions.moved[chosen]
    streets[moved] = people.streets[(person[moved] * 7 + 1) % people.size]
    homes = {site.number: site.code for site in plan.sites}
    born = [
        f"{year}-{1 + p % 12:02d}-{1 + p % 28:02d}"
        for year, p in zip(people.birth_year[person].tolist(), person.tolist(), strict=True)
    ]
    return {
        "club_no": picked(account, people.club_numbers),
        "valid_from": local_times(moment[chosen], HEAD_OFFICE, with_offset=False),
        "joined": local_times(joined, HEAD_OFFICE, with_offset=False),
        "full_name": text(people.names[person, spelling]),
        "mobile": text(phones),
        "mail": text(people.emails[person, spelling]),
        "street": text(streets),
        "town": text(people.town[person]),
        "land": text([country.code] * account.size),
        "born": text(born),
        "sex": text(people.gender[person]),
        "level": picked(versions.tier[chosen], TIERS),
        "home_shop": text([homes[int(h)] for h in people.home[person]]),
        # Every third member has linked a card.
        "card": text(np.where(person % 3 == 0, people.card[person], None)),
        "state": text(versions.state[chosen]),
    }


def midnights_before(plan: Plan, country: Country, day: np.ndarray) -> np.ndarray:
    """Start of a day that may lie before the run, in seconds since 1970."""
    starts = midnights(plan, country.time_zone)
    inside = np.clip(day, 0, plan.days - 1)
    return starts[inside] + (day - inside) * 86400


def version_moments(plan: Plan, people: People, versions: Versions) -> np.ndarray:
    """When each version became true, in seconds since 1970."""
    return midnights_before(plan, people.country, versions.day) + versions.second


class Ledger:
    """Points of one country's members; weeks are taken in order."""

    def __init__(self, people: People) -> None:
        """Every account begins with nothing."""
        self.unit = people.country.points_unit
        self.numbers = people.club_numbers
        self.balance = np.zeros(people.accounts.person.size, dtype=np.int64)

    def use(self, rng: np.random.Generator, account: np.ndarray, total: np.ndarray) -> np.ndarray:
        """Minor units that each receipt pays with points: at most once a week, at most half."""
        worth = self.unit * BLOCK_WORTH
        first = np.zeros(account.size, dtype=bool)
        first[np.unique(account, return_index=True)[1]] = True
        blocks = np.minimum(self.balance[account] // BLOCK, total // (2 * worth))
        willing = first & (account >= 0) & (rng.random(account.size) < BURN_SHARE)
        willing &= self.balance[account] >= BURN_LEAST
        return np.where(willing & (blocks > 0), blocks * worth, 0)

    def worth(self, account: np.ndarray, total: np.ndarray, used: np.ndarray) -> np.ndarray:
        """Points that each receipt earns, negative where a refund takes them back."""
        paid = np.abs(total) - used
        return np.where(account >= 0, np.sign(total) * (paid // self.unit), 0)

    def book(self, account: np.ndarray, points: np.ndarray, used: np.ndarray) -> None:
        """Move the balances by points earned or taken back, and by those used."""
        member = account >= 0
        change = points - used // (self.unit * BLOCK_WORTH) * BLOCK
        np.add.at(self.balance, account[member], change[member])


def points_columns(
    ledger: Ledger, account: np.ndarray, points: np.ndarray, *, used: np.ndarray,
    receipt_ids: np.ndarray, moment: np.ndarray,
) -> Columns:  # fmt: skip
    """``lantern_points``: what each receipt earned or took back, and what it was paid with."""
    moved = np.flatnonzero(points != 0)
    burnt = np.flatnonzero(used > 0)
    row = np.concatenate([moved, burnt])
    kind = np.concatenate([np.where(points[moved] > 0, 0, 1), np.full(burnt.size, 2)])
    value = np.concatenate([points[moved], -(used[burnt] // (ledger.unit * BLOCK_WORTH) * BLOCK)])
    order = np.lexsort((kind, row))
    row, kind, value = row[order], kind[order], value[order]
    codes = ("E", "R", "B")
    return {
        "entry": text([f"{codes[k]}:{receipt_ids[r]}" for k, r in zip(kind, row, strict=True)]),
        "club_no": picked(account[row], ledger.numbers),
        "kind": picked(kind, codes),
        "pts": whole(value),
        "bon": text(receipt_ids[row]),
        "booked": local_times(moment[row] + 60, "UTC", with_offset=False),
    }


def consent_rows(plan: Plan, people: People) -> tuple[Columns, np.ndarray]:
    """``lantern_consents`` of the whole run and the moment of each row, in the order of time."""
    rng = plan.generator(Stream.CLUB, people.country.number, 1)
    accounts = people.accounts
    size = accounts.person.size
    account = np.repeat(np.arange(size), len(PURPOSES))
    purpose = np.tile(np.arange(len(PURPOSES)), size)
    granted = rng.random(account.size) < np.array(GRANTED)[purpose]
    start = midnights_before(plan, people.country, accounts.joined_day[account]) + 43200
    withdrawn = np.flatnonzero(granted & (rng.random(account.size) < WITHDRAWN_SHARE))
    first_day = np.maximum(accounts.joined_day[account[withdrawn]] + 1, 0)
    day = first_day + (rng.random(withdrawn.size) * (plan.days - first_day)).astype(np.int64)
    later = midnights_before(plan, people.country, day) + 36000
    moment = np.concatenate([start, later]) + np.concatenate([purpose, purpose[withdrawn]])
    rows = np.concatenate([np.arange(account.size), withdrawn])
    yes = np.concatenate([granted, np.zeros(withdrawn.size, dtype=bool)])
    kept = np.concatenate([np.ones(account.size, dtype=bool), day < plan.days])
    order = np.lexsort((account[rows], moment))
    order = order[kept[order]]
    rows, yes, moment = rows[order], yes[order], moment[order]
    places = ["form", "app"]
    columns = {
        "club_no": picked(account[rows], people.club_numbers),
        "what_for": picked(purpose[rows], PURPOSES),
        "yes_no": picked(np.where(yes, 0, 1), ["Y", "N"]),
        "basis": text(["consent"] * rows.size),
        "stated_at_place": picked(rows % 2, places),
        "stated_at": local_times(moment, HEAD_OFFICE, with_offset=False),
    }
    return columns, moment
