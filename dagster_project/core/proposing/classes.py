"""Whose business a column is: cards, people, prose, codes; default is deny.

Belongs here: class and treatment, by the column's name and by its values. Does not: types.
What is neither known nor harmless by its looks is ``sensitive``, for a person to decide.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dagster_project.core.declarations import FieldType
from dagster_project.core.feeds.cards import ascii_digits, mask_text
from dagster_project.core.proposing.columns import (
    FEW_VALUES,
    LONG_TEXT,
    Column,
    Values,
    text_expression,
)
from dagster_project.core.proposing.kinds import Kind, is_mobile
from dagster_project.core.proposing.notes import Note
from dagster_project.core.proposing.words import (
    family_signs,
    given_names,
    known_meanings,
    personal_meaning,
    plain_name,
)

MOSTLY = 0.6  # of the values: a column of cards, phones, e-mails or names
LOOKED_AT = 5_000  # distinct values
# Template fields, by name, that are no business of any person's.
HARMLESS = re.compile(
    r"(?:_code|_type|_count|_amount|_price|_at|_on|quantity|category|status|brand|region|points|"
    r"rating|url|city|country_code|product_name|description|line_number|receipt_id|order_id|_share|date|time|gtin|"
    r"session_id|department|latitude|longitude)$"
)
THINGS = re.compile(
    r"\b(?:product|item|article|store|shop|branch|file|brand|company|category|city|country|film|"
    r"show|service|dish|menu|pizza|event|campaign|promotion|page|region|merchant)\b"
)
DOMAINS = {
    "member": "member", "operator": "operator", "visitor": "visitor", "phone": "phone",
    "email": "email", "name": "name", "address": "address", "national_id": "national_id",
    "ip_address": "ip_address", "account": "account",
}  # fmt: skip


def classed(column: Column) -> Column:  # noqa: PLR0911 - one return a class
    """The column with class, treatment and the reason for both."""
    values = column.values
    if values is None:
        return column
    kinds = values.kinds()
    filled = max(1, values.filled)
    cards = kinds[Kind.CARD] + kinds[Kind.MASKED_CARD]
    if cards and (cards >= MOSTLY * filled or "card_number" in known_meanings(column.name)):
        told = f"{cards} of {values.filled} values are card numbers by Luhn and issuer"
        return _protected(column, "mask", "card", Note(column.name, told), FieldType.CARD_NUMBER)
    meaning = personal_meaning(column.name)
    if kinds[Kind.EMAIL] >= MOSTLY * filled or meaning == "email":
        told = f"{kinds[Kind.EMAIL]} of {values.filled} values are e-mail addresses"
        return _protected(column, "token", "email", Note(column.name, told), FieldType.EMAIL)
    phones = _phones(values, kinds[Kind.PHONE])
    if meaning == "phone" or (phones >= MOSTLY * filled and not column.is_identifier):
        told = f"{phones} of {values.filled} values are telephone numbers"
        return _protected(column, "token", "phone", Note(column.name, told), FieldType.PHONE)
    if meaning is not None and not _is_of_a_thing(column.name):
        return _personal(column, meaning)
    if (share := _people(values)) >= MOSTLY and column.type is FieldType.TEXT:
        told = f"{share:.0%} of the values begin or end as people's names do"
        return _protected(
            column, "token", "name", Note(column.name, told, is_open=True), FieldType.TEXT
        )
    return _harmless(column, values)


def _protected(column: Column, treatment: str, domain: str, note: Note, kind: FieldType) -> Column:
    return replace(
        column,
        type=kind,
        expression=_as_text(column),
        date_formats=(),
        classification="card" if treatment == "mask" else "personal",
        treatment=treatment,
        token_domain=domain,
        notes=(note, *_kept(column)),
    )


def _as_text(column: Column) -> str:
    return column.expression if column.is_identifier else text_expression(column.values)


def _kept(column: Column) -> tuple[Note, ...]:
    """What was said of an identifier's digits holds for its token too."""
    return column.notes if column.is_identifier else ()


def _personal(column: Column, meaning: str) -> Column:
    if meaning == "birth_date":
        if column.type is FieldType.DATE:
            note = Note(column.name, "a birth date: only its decade is kept")
            return replace(
                column, classification="personal", treatment="generalise",
                notes=(note, *column.notes),
            )  # fmt: skip
        told = "a birth date that cannot be read yet: dropped until its spelling is decided"
        note = Note(column.name, told, is_open=True)
        return replace(
            column, type=FieldType.TEXT, classification="personal", treatment="drop",
            expression=column.name, notes=(note,),
        )  # fmt: skip
    if meaning == "gender":
        note = Note(column.name, "of a person; sensitive, kept as it is", is_open=True)
        return replace(column, classification="sensitive", notes=(note, *column.notes))
    told = f"of a person by its name ({meaning.replace('_', ' ')}): a token is kept"
    return _protected(column, "token", DOMAINS[meaning], Note(column.name, told), FieldType.TEXT)


def _is_of_a_thing(name: str) -> bool:
    return THINGS.search(plain_name(name)) is not None


def _phones(values: Values, certain: int) -> int:
    """Telephone numbers, digits alone included where nearly all look like mobiles."""
    mobiles = sum(n for value, n in values.counts.items() if is_mobile(value))
    return max(certain, mobiles if mobiles >= 0.9 * values.filled else 0)


def _people(values: Values) -> float:
    """The share of distinct values that look like people's names."""
    if _is_of_a_thing(values.name):
        return 0.0
    samples = list(values.counts)[:LOOKED_AT]
    return sum(map(_is_person, samples)) / len(samples) if samples else 0.0


def _is_person(text: str) -> bool:
    words = text.replace(",", " ").split()
    if len(words) == 1 and 2 <= len(text) <= 4 and text[0] in family_signs():
        return all("\u4e00" <= sign <= "\u9fff" for sign in text)
    if not 1 <= len(words) <= 4:
        return False
    return any(word.lower() in given_names() for word in words)


def _harmless(column: Column, values: Values) -> Column:  # noqa: PLR0911 - one a reason
    """Not of a person: internal where name or looks say so, else sensitive and asked."""
    if column.type is not FieldType.TEXT:
        return column
    samples = list(values.counts)[:LOOKED_AT]
    length = sum(map(len, samples)) / len(samples) if samples else 0
    hidden = sum(mask_text(text)[1] for text in samples if len(text) >= 13)
    if hidden or (length > LONG_TEXT and not _mostly(values, Kind.URL)):
        told = f"card numbers hide in {hidden} of its values" if hidden else "prose"
        note = Note(column.name, f"{told}: card numbers inside it are masked", bool(hidden))
        return replace(column, treatment="scan", notes=(note, *column.notes))
    if column.is_identifier or any(HARMLESS.search(one) for one in known_meanings(column.name)):
        return column
    kinds = (Kind.TIME, Kind.DATE, Kind.TIMESTAMP, Kind.URL, Kind.INTEGER, Kind.DECIMAL)
    if _mostly(values, *kinds):
        return column
    if _looks_like_codes(samples):
        return column
    if 0 < len(values.counts) <= FEW_VALUES and values.filled >= 3 * len(values.counts):
        note = Note(column.name, f"a list of {len(values.counts)} values")
        return replace(column, notes=(note, *column.notes))
    if not samples:
        return replace(column, classification="sensitive")
    note = Note(
        column.name, "neither name nor values say what it is: sensitive until decided", is_open=True
    )
    return replace(
        column, classification="sensitive", treatment="scan", notes=(note, *column.notes)
    )


def _mostly(values: Values, *kinds: Kind) -> bool:
    found = values.kinds()
    return values.filled > 0 and sum(found[kind] for kind in kinds) >= 0.9 * values.filled


def _looks_like_codes(samples: list[str]) -> bool:
    """Short, without spaces, with digits: article numbers, receipts."""
    if not samples:
        return False
    coded = sum(
        len(text) <= 24
        and " " not in text.strip()
        and any(sign.isdigit() for sign in ascii_digits(text))
        for text in samples
    )
    return coded >= 0.9 * len(samples)
