"""Who is meant: from a member number, an e-mail address or a phone to the persons and their tokens.

Belongs here: the selectors, and filling ``erasure_token`` with everything that leads to those
persons. Does not: erasing. A selector's clear value is made a token in memory and goes nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from dagster_project.core.erasure.database import DOMAIN_OF
from dagster_project.core.identity import assigning
from dagster_project.core.identity.explaining import ExplainError, find_identifier
from dagster_project.core.keys import MasterKey
from dagster_project.core.suppression import matching
from dagster_project.core.suppression.lineage import Role
from dagster_project.core.suppression.matching import Place
from dagster_project.core.suppression.register import ErasureError

SHORTEST = 6  # characters of a clear value that is worth looking for: shorter ones stand anywhere


@dataclass(frozen=True)
class Selectors:
    """What persons are asked for by, as it was written."""

    members: tuple[str, ...] = ()  # SENDER:NUMBER
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()  # keys

    def asked(self) -> list[tuple[str, str]]:
        """Each as it is told in an error, without its value, and as identity is asked for it."""
        return [
            *((f"member {n}", _member(one)) for n, one in enumerate(self.members, 1)),
            *((f"email {n}", f"email:{one}") for n, one in enumerate(self.emails, 1)),
            *((f"phone {n}", f"phone:{one}") for n, one in enumerate(self.phones, 1)),
            *((f"person {one}", f"person:{one}") for one in self.persons),
        ]

    def values(self) -> list[str]:
        """The clear values that were written."""
        numbers = [one.partition(":")[2] for one in self.members]
        return [*numbers, *self.emails, *self.phones]


@dataclass(frozen=True)
class Traces:
    """What persons were known by, kept in memory to look for whatever may be left."""

    person_keys: tuple[int, ...]
    tokens: tuple[str, ...]
    values: tuple[str, ...]  # in the clear
    descriptions: tuple[str, ...] = ()  # names and addresses, which others may share


def _member(asked: str) -> str:
    sender, colon, number = asked.partition(":")
    if not (sender and colon and number):
        raise ErasureError("a member is asked for as SENDER:NUMBER, such as lantern:M-1000")
    return f"member@{sender}:{number}"


def find_persons(
    connection: duckdb.DuckDBPyConnection, key: MasterKey, selectors: Selectors
) -> tuple[int, ...]:
    """The keys of the persons that are meant; raises ErasureError where one is nobody's."""
    found: dict[int, None] = {}
    for told, asked in selectors.asked():
        try:
            identifier = find_identifier(connection, key, asked)
        except ExplainError as error:
            raise ErasureError(f"{told}: {error}") from None
        (person,) = connection.execute(
            "select person_key from identity.person_identifier "
            f"where {assigning.HELD_KEY} = $identifier",
            {"identifier": identifier},
        ).fetchone()
        if person is None:
            raise ErasureError(
                f"{told} is shared by too many to say whose it is; ask by the member number"
            )
        found[int(person)] = None
    if not found:
        raise ErasureError("nobody is named: give --member, --email, --phone or --person")
    return tuple(found)


def find_everything(
    connection: duckdb.DuckDBPyConnection, places: Sequence[Place], persons: Sequence[int]
) -> None:
    """Fill ``erasure_token`` and every place's rows with what leads to the persons.

    What their own records show besides is theirs too: accounts and wallets, and identifiers that
    are nobody's in identity only because they are not resolved.
    """
    domains = "".join(f"when '{kind}' then '{domain}' " for kind, domain in DOMAIN_OF.items())
    connection.execute(
        "create or replace temp table erasure_token as "
        f"select case identifier_kind {domains}end as domain, sender as scope, "
        "identifier_token as token from identity.person_identifier "
        "where person_key in (select unnest($persons::bigint[]))",
        {"persons": list(persons)},
    )
    matching.find_rows(connection, places)
    matching.add_accounts(connection, places)
    matching.find_rows(connection, places)


def find_traces(
    connection: duckdb.DuckDBPyConnection, places: Sequence[Place], persons: Sequence[int]
) -> Traces:
    """What the persons in ``erasure_token`` are known by, with clear values from the vault."""
    rows = connection.execute(
        "select distinct token, value from erasure_token "
        "left join vault.personal_value using (domain, token) order by all"
    ).fetchall()
    described = " union ".join(
        f"select '{column.domain}' as domain, {column.value} as token from {place.table} "
        f"where rowid in (from {place.rows})"
        for place in places
        for column in place.shown(place.record.of(Role.DESCRIBES))
    )
    others = connection.execute(
        f"select distinct value from ({described}) inner join vault.personal_value "
        "using (domain, token) order by all"
    ).fetchall()
    return Traces(
        tuple(persons),
        tuple(dict.fromkeys(token for token, _ in rows)),
        _long(value for _, value in rows),
        _long(value for (value,) in others),
    )


def _long(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(v for v in values if v is not None and len(v) >= SHORTEST))
