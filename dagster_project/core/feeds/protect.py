"""Personal and card values become tokens and masks before anything is written.

Belongs here: normalising, tokenising, masking of one field's distinct values. Does not: which
field is what (templates), writing. Clear values live in the engine's temporary tables, whose
spill files are encrypted, until the vault takes the personal ones; card numbers go nowhere.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import duckdb

from dagster_project.core.declarations import FieldType, TemplateField, Treatment
from dagster_project.core.feeds.cards import (
    LOOSELY_SUSPICIOUS,
    SUSPICIOUS,
    ascii_digits,
    mask_text,
)
from dagster_project.core.feeds.job import Job
from dagster_project.core.feeds.naming import CONTACT, free_text
from dagster_project.core.feeds.sql import ASCII_DIGITS, FOREIGN_DIGITS
from dagster_project.core.keys import TOKEN_HEX

PHONE_SEPARATORS = r"[\s().\-/·‐‑–—－（）．\x{200e}\x{200f}\x{202a}-\x{202c}]"
# National significant numbers of mobiles, by country: what precedes them, and they themselves.
MOBILE = {
    "CN": (r"(?:\+?86|0086)?", r"1[3-9]\d{9}", "+86"),
    "IR": (r"(?:\+98|0098|98|0)?", r"9\d{9}", "+98"),
    "GB": (r"(?:\+440?|00440?|440?|0)", r"7\d{9}", "+44"),
    "US": (r"(?:\+?1)?", r"[2-9]\d{2}[2-9]\d{6}", "+1"),
}
# Providers for which dots before the @ and everything after a plus sign mean nothing.
DOTLESS = ("gmail.com", "googlemail.com")
PLUS_TAGS = ("outlook.com", "hotmail.com", "live.com", "icloud.com", "me.com", "fastmail.com")


@dataclass(frozen=True)
class Protected:
    """A temporary table ``value → token, masked, clear`` of one field's distinct values."""

    table: str
    staged: str  # the record's staged table, whose column holds the token
    column: str
    domain: str
    keeps_clear: bool  # the vault gets ``clear``


def tokenise(job: Job, values: str, name: str, field: TemplateField, table: str) -> None:
    """Make ``value → token, masked, clear`` from a query of texts (one column, ``value``).

    The token is that of the whole text; ``clear``, which the vault takes, has no card number.
    """
    connection = job.connection
    connection.execute(
        f"create or replace temp table {table}_clear as "
        f"select distinct value from ({values}) where value is not null"
    )
    if field.type is FieldType.CARD_NUMBER:
        _clear_cards(connection, table)
    elif field.type is FieldType.PHONE:
        _clear_phones(connection, table, job.feed.country)
    else:
        _clear_texts(connection, table, field.type is FieldType.EMAIL)
    inner, outer = job.key.token_pads(field.token_domain or "")
    connection.execute(
        f"create or replace temp table {table} as select value, masked, clear, "
        f"left(sha256($2::blob || unhex(sha256($1::blob || encode(clear)))), {TOKEN_HEX}) as token "
        f"from {table}_normal",
        [inner, outer],
    )
    for suffix in ("clear", "normal"):
        connection.execute(f"drop table {table}_{suffix}")
    if field.type is not FieldType.CARD_NUMBER and name not in job.feed.own_numbers:
        _mask_clear(connection, table)


def _mask_clear(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Mask card numbers in names, addresses and the like; E.164 numbers are phones."""
    found = f"{table}_cards"
    values = f"select clear as value from {table} where clear[1] != '+'"
    # The vault is where contacts are kept: an address that is masked here is lost for good.
    if scan(connection, values, found, cards_alone=True):
        connection.execute(
            f"update {table} set clear = c.clean from {found} as c where c.value = {table}.clear"
        )
        connection.execute(f"drop table {found}")


def _normalise(
    connection: duckdb.DuckDBPyConnection, table: str, leftover: str, change: Callable[[str], str]
) -> None:
    """Bring the values that a predicate picks to their normal text in Python; a small share."""
    rows = connection.execute(f"select value from {table}_clear where {leftover}").fetchall()
    import pyarrow as pa

    values = pa.table(
        {
            "value": pa.array([row[0] for row in rows], pa.string()),
            "changed": pa.array([change(row[0]) for row in rows], pa.string()),
        }
    )
    connection.register(f"{table}_leftover", values)


def _clear_texts(connection: duckdb.DuckDBPyConnection, table: str, is_email: bool) -> None:
    # Where bytes and characters are equal in number, the text is ASCII and its own NFKC form.
    _normalise(
        connection,
        table,
        "strlen(value) != length(value)",
        lambda value: unicodedata.normalize("NFKC", value).strip(),
    )
    clear = "coalesce(l.changed, trim(value))"
    changed = _email("text") if is_email else "text"
    connection.execute(
        f"create or replace temp table {table}_normal as "
        f"with normal as (select value, {clear} as text from {table}_clear "
        f"left join {table}_leftover as l using (value)) "
        f"select value, null::varchar as masked, nullif({changed}, '') as clear from normal"
    )
    connection.unregister(f"{table}_leftover")


def _email(text: str) -> str:
    lowered = f"lower({text})"
    name, provider = f"split_part({lowered}, '@', 1)", f"split_part({lowered}, '@', 2)"
    bare = f"split_part({name}, '+', 1)"
    dotless = ", ".join(f"'{domain}'" for domain in DOTLESS)
    tagged = ", ".join(f"'{domain}'" for domain in PLUS_TAGS)
    return (
        f"case when {provider} in ({dotless}) then replace({bare}, '.', '') || '@gmail.com' "
        f"when {provider} in ({tagged}) then {bare} || '@' || {provider} else {lowered} end"
    )


def _clear_phones(connection: duckdb.DuckDBPyConnection, table: str, country: str | None) -> None:
    digits = f"translate(value, '{FOREIGN_DIGITS}＋', '{ASCII_DIGITS}+')"
    connection.execute(
        f"create or replace temp table {table}_mobile as "
        f"with plain as (select value, "
        f"regexp_replace({digits}, '{PHONE_SEPARATORS}', '', 'g') as n from {table}_clear) "
        f"select value, {_mobile('n', country)} as e164 from plain"
    )
    _normalise(
        connection,
        table,
        f"value in (select value from {table}_mobile where e164 is null)",
        lambda value: _parse_phone(value, country),
    )
    connection.execute(
        f"create or replace temp table {table}_normal as "
        f"select m.value, null::varchar as masked, nullif(coalesce(e164, l.changed), '') as clear "
        f"from {table}_mobile as m left join {table}_leftover as l on l.value = m.value"
    )
    connection.unregister(f"{table}_leftover")
    connection.execute(f"drop table {table}_mobile")


def _mobile(number: str, country: str | None) -> str:
    branches = []
    for code, (before, national, prefix) in MOBILE.items():
        if code != country:
            digits = prefix[1:]
            before = rf"(?:\+|00){digits}" + ("0?" if code in {"GB", "IR"} else "")  # noqa: PLW2901
        pattern = f"^{before}({national})$"
        branches.append(
            f"when regexp_matches({number}, '{pattern}') "
            f"then '{prefix}' || regexp_extract({number}, '{pattern}', 1)"
        )
    return f"case {' '.join(branches)} end"


def _parse_phone(value: str, country: str | None) -> str:
    """E.164 of what the patterns leave over, else the text as it is: no number is invented."""
    import phonenumbers

    text = unicodedata.normalize("NFKC", value).strip()
    try:
        number = phonenumbers.parse(ascii_digits(text), country)
    except phonenumbers.NumberParseException:
        return text
    if not phonenumbers.is_possible_number(number):
        return text
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _clear_cards(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Digits and their mask; a number that the sender masked keeps its mask and has no token."""
    _normalise(
        connection,
        table,
        "strlen(value) != length(value)",
        lambda value: ascii_digits(unicodedata.normalize("NFKC", value)),
    )
    connection.execute(
        f"create or replace temp table {table}_normal as "
        f"with normal as (select value, regexp_replace(coalesce(l.changed, value), "
        rf"'[\s.\-–—]', '', 'g') as n from {table}_clear "
        f"left join {table}_leftover as l using (value)), "
        r"judged as (select value, n, regexp_full_match(n, '\d{12,19}') as is_number, "
        r"regexp_full_match(n, '\d{0,6}[*xX•#]+\d{0,4}') as is_masked from normal) "
        "select value, case when is_number then left(n, 6) || repeat('*', length(n) - 10) "
        "|| right(n, 4) when is_masked then n else repeat('*', length(n)) end as masked, "
        "case when is_number then n end as clear from judged"
    )
    connection.unregister(f"{table}_leftover")


@dataclass(frozen=True)
class Scanned:
    """What a scan of free text found; with changes there is a table ``value → clean``."""

    has_changes: bool = False
    cards_found: int = 0
    has_secrets: bool = False

    def __bool__(self) -> bool:
        return self.has_changes


def scan(
    connection: duckdb.DuckDBPyConnection, values: str, table: str, *, cards_alone: bool = False
) -> Scanned:
    """Look through a query's texts (one column, ``value``); most never leave the database."""
    matching = f"from ({values}) where length(value) >= 7 and regexp_matches(value, ?)"
    contact = "" if cards_alone else f"|{CONTACT}"
    loose = connection.execute(f"select 1 {matching} limit 1", [f"{LOOSELY_SUSPICIOUS}{contact}"])
    if loose.fetchone() is None:
        return Scanned()
    rows = connection.execute(
        f"select distinct value {matching}", [f"{SUSPICIOUS}{contact}"]
    ).fetchall()
    masked = mask_text if cards_alone else free_text
    cleaned = {value: masked(value) for (value,) in rows}
    changed = {value: clean for value, clean in cleaned.items() if clean[0] != value}
    if not changed:
        return Scanned()
    import pyarrow as pa

    pairs = pa.table(
        {
            "value": list(changed),
            "clean": [clean for clean, _, _ in changed.values()],
            "has_secret": [has_secret for _, _, has_secret in changed.values()],
        }
    )
    connection.register(f"{table}_arrow", pairs)
    connection.execute(f"create or replace temp table {table} as select * from {table}_arrow")
    connection.unregister(f"{table}_arrow")
    found = sum(clean[1] for clean in changed.values())
    return Scanned(True, found, any(clean[2] for clean in changed.values()))


def is_protected(field: TemplateField) -> bool:
    """Whether the field's value may not be written as it is."""
    return field.treatment in {Treatment.TOKEN, Treatment.MASK, Treatment.SCAN}
