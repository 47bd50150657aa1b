"""Why two identifiers are one person: the links from one to the other, with their rules.

Belongs here: finding an identifier by what a steward knows of it, the path, its words. Does not:
showing a clear value: tokens are shortened, probable pairs tell outcomes only.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import duckdb
import numpy as np

from dagster_project.core.identity import assigning, links, normalise
from dagster_project.core.keys import MasterKey

SHOWN = 8  # characters of a token: enough to find it again among a person's, too few to guess by
DOMAINS = {
    "member": "member", "email": "email", "phone": "phone", "card": "card",
    "handle": "social_handle", "visitor": "visitor",
}  # fmt: skip


class ExplainError(Exception):
    """What was asked for is not there; the message says how to ask, and holds no value."""


@dataclass(frozen=True)
class Named:
    """An identifier as it may be shown."""

    identifier_key: int
    words: str  # kind, sender, beginning of the token
    person_key: int | None
    confidence: float


@dataclass(frozen=True)
class Step:
    """One link of a path."""

    left: Named
    right: Named
    rule: str
    probability: float
    outcomes: str | None  # of a probable pair


@dataclass(frozen=True)
class Explanation:
    """Whether two are one person today, and why."""

    left: Named
    right: Named
    is_one_person: bool
    path: tuple[Step, ...]
    decisions: tuple[str, ...]
    notes: tuple[str, ...]


def explain(
    connection: duckdb.DuckDBPyConnection, rules: assigning.Rules, key: MasterKey, *asked: str
) -> Explanation:
    """The path between two of: ``KIND:VALUE``, ``KIND@SENDER:VALUE``, a token, a person's key.

    The clear value is made a token in memory and goes nowhere. Nothing is written. Raises
    ExplainError where nothing or several things are meant.
    """
    left, right = (find_identifier(connection, key, one) for one in asked)
    assigning.assign(connection, rules)
    try:
        path = _path(connection, left, right)
        return Explanation(
            left=_named(connection, left),
            right=_named(connection, right),
            is_one_person=bool(path) or left == right,
            path=path,
            decisions=_decisions(connection, left, right, path),
            notes=_notes(connection, left, right),
        )
    finally:
        assigning.forget(connection)


def find_identifier(connection: duckdb.DuckDBPyConnection, key: MasterKey, asked: str) -> int:
    """The identifier key of what was asked for."""
    kind, colon, value = asked.partition(":")
    if not colon:
        return _by_token_or_person(connection, asked)
    kind, _, sender = kind.partition("@")
    if kind == "person" and value.isdigit():
        return _by_token_or_person(connection, value)
    if kind not in DOMAINS:
        raise ExplainError(f"{kind!r} is no kind of identifier; there are {', '.join(DOMAINS)}")
    tokens = [key.token(DOMAINS[kind], spelled) for spelled in _spellings(connection, kind, value)]
    found = connection.execute(
        f"select {assigning.HELD_KEY} from identity.person_identifier "
        "where identifier_kind = $kind and identifier_token in (select unnest($tokens)) "
        "and ($sender = '' or sender = $sender)",
        {"kind": kind, "tokens": [*tokens, value], "sender": sender},
    ).fetchall()
    return _only(found, f"this {kind}")


def _by_token_or_person(connection: duckdb.DuckDBPyConnection, asked: str) -> int:
    """A person's anchor, or the identifier whose token begins so."""
    if asked.isdigit():
        found = connection.execute(
            f"select {assigning.HELD_KEY} from identity.person_identifier "
            f"where person_key = $person order by {assigning.RANK}, 1 limit 1",
            {"person": int(asked)},
        ).fetchall()
        if found:
            return int(found[0][0])
    found = connection.execute(
        f"select {assigning.HELD_KEY} from identity.person_identifier "
        "where starts_with(identifier_token, $token) limit 2",
        {"token": asked},
    ).fetchall()
    return _only(found, "a token that begins so")


def _only(found: list[tuple[int]], what: str) -> int:
    if len(found) == 1:
        return found[0][0]
    several = "more than one sender knows" if found else "nobody has shown"
    raise ExplainError(f"{several} {what}; ask by KIND:VALUE, KIND@SENDER:VALUE or a token")


def _spellings(connection: duckdb.DuckDBPyConnection, kind: str, value: str) -> list[str]:
    """The texts that the value's token may be of: as it is, and as tokens of its kind spell it."""
    plain = unicodedata.normalize("NFKC", value).strip()
    found = [value, plain]
    if kind == "email":
        found += [plain.lower(), normalise.email_of(plain) or plain]
    if kind == "phone":
        countries = connection.execute(
            "select distinct country_code from raw.store__store where country_code is not null"
        ).fetchall()
        found += [
            normalise.phone_of(plain, one) or plain for one in (None, *(c for (c,) in countries))
        ]
    if kind == "card":
        found.append("".join(c for c in plain if c.isdigit()))
    return sorted(set(found))


def _path(connection: duckdb.DuckDBPyConnection, left: int, right: int) -> tuple[Step, ...]:
    """The surest links from one to the other: certain ones before probable, few before many."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    linked = connection.execute(
        "select left_key, right_key, min(1000 * (1 - probability) + 1) as length "
        "from identity_link group by all order by all"
    ).fetchnumpy()
    keys = np.unique(np.r_[linked["left_key"], linked["right_key"], left, right].astype(np.int64))
    ends = tuple(np.searchsorted(keys, linked[side]) for side in ("left_key", "right_key"))
    graph = coo_array((linked["length"], ends), shape=(len(keys), len(keys))).tocsr()
    first, last = (int(np.searchsorted(keys, one)) for one in (left, right))
    _, before = dijkstra(graph, directed=False, indices=first, return_predecessors=True)
    steps: list[Step] = []
    while last != first and before[last] >= 0:
        steps.append(_step(connection, int(keys[before[last]]), int(keys[last])))
        last = int(before[last])
    return tuple(reversed(steps))


def _step(connection: duckdb.DuckDBPyConnection, left: int, right: int) -> Step:
    rule, probability, outcomes = connection.execute(
        f"select rule, probability, outcomes from identity_link left join {_probable(connection)} "
        "using (left_key, right_key) where left_key in ($a, $b) and right_key in ($a, $b) "
        f"order by probability desc, list_position({list(links.RULES)}, rule) limit 1",
        {"a": left, "b": right},
    ).fetchone()
    told = outcomes if rule == "probable" else None
    return Step(_named(connection, left), _named(connection, right), rule, probability, told)


def _probable(connection: duckdb.DuckDBPyConnection) -> str:
    known = connection.execute(
        "select count(*) from duckdb_tables() where table_name = 'identity_probable'"
    ).fetchone()[0]
    nothing = "select 0::bigint as left_key, 0::bigint as right_key, '' as outcomes limit 0"
    chosen = "select left_key, right_key, outcomes from identity_probable" if known else nothing
    return f"({chosen}) as probable"


def _named(connection: duckdb.DuckDBPyConnection, identifier_key: int) -> Named:
    kind, sender, token, person, confidence = connection.execute(
        "select identifier_kind, sender, identifier_token, person_key, coalesce(confidence, 1) "
        "from identity_identifier left join identity_resolved using (identifier_key) "
        "where identifier_key = $key",
        {"key": identifier_key},
    ).fetchone() or ("identifier", links.EVERYWHERE, "gone", None, 1.0)
    at = "" if sender == links.EVERYWHERE else f" of {sender}"
    return Named(identifier_key, f"{kind}{at} {token[:SHOWN]}…", person, confidence)


def _decisions(
    connection: duckdb.DuckDBPyConnection, left: int, right: int, path: tuple[Step, ...]
) -> tuple[str, ...]:
    """The decisions in force that name an identifier of the path, in words."""
    ends = {left, right, *(end.identifier_key for step in path for end in (step.left, step.right))}
    rows = connection.execute(
        "select decision, decision_id, decided_at, left_key, right_key from identity_decision "
        "where left_key in (select unnest($ends)) or right_key in (select unnest($ends)) "
        "order by decided_at, decision_id",
        {"ends": sorted(ends)},
    ).fetchall()
    return tuple(
        f"{decision} {number} of {decided:%Y-%m-%d}: "
        f"{_named(connection, a).words} and {_named(connection, b).words}"
        for decision, number, decided, a, b in rows
    )


def _notes(connection: duckdb.DuckDBPyConnection, left: int, right: int) -> tuple[str, ...]:
    hubs = connection.execute(
        "select identifier_key from identity_identifier "
        "where is_hub and identifier_key in ($left, $right) order by all",
        {"left": left, "right": right},
    ).fetchall()
    return tuple(
        f"{_named(connection, one).words} is a hub: too many share it to say who it is"
        for (one,) in hubs
    )
