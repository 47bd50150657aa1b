"""Which raw columns say whose a record is, read from the templates.

Belongs here: the role of every token domain, and what follows from a template for each raw table.
Does not: rows. A domain that has no role here fails a test: nothing personal is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from dagster_project.core.declarations import (
    Classification,
    FieldType,
    Outcome,
    Record,
    Template,
    TemplateField,
    Treatment,
)


class Role(StrEnum):
    """What a token of a domain says of a person."""

    IDENTIFIES = "identifies"  # identity resolution knows it: its records are the person's
    ACCOUNT = "account"  # the person's own elsewhere: found on the person's records
    DESCRIBES = "describes"  # may be another person's as well: a name, an address
    STAFF = "staff"  # of whoever served; never of the customer


ROLES = {
    "member": Role.IDENTIFIES,
    "email": Role.IDENTIFIES,
    "phone": Role.IDENTIFIES,
    "card": Role.IDENTIFIES,
    "social_handle": Role.IDENTIFIES,
    "visitor": Role.IDENTIFIES,
    "customer_account": Role.ACCOUNT,
    "patient": Role.ACCOUNT,
    "insurance_policy": Role.ACCOUNT,
    "prepaid_card": Role.ACCOUNT,
    "wallet_account": Role.ACCOUNT,
    "person_name": Role.DESCRIBES,
    "address": Role.DESCRIBES,
    "postcode": Role.DESCRIBES,
    "household": Role.DESCRIBES,
    "parcel": Role.DESCRIBES,
    "clinic_visit": Role.DESCRIBES,
    "insurance_claim": Role.DESCRIBES,
    "prescription": Role.DESCRIBES,
    "employee": Role.STAFF,
    "operator": Role.STAFF,
    "practitioner": Role.STAFF,
}
# Identity's words for the domains that it resolves.
KINDS = {
    "member": "member", "email": "email", "phone": "phone", "card": "card",
    "social_handle": "handle", "visitor": "visitor",
}  # fmt: skip
# Numbered by each sender by itself; all others are the same everywhere.
SENDERS_OWN = frozenset({"member", "social_handle", "visitor", "customer_account", "patient"})
EVERYWHERE = "*"
EXTRA = "_extra"
AMOUNTS = frozenset({FieldType.MONEY, FieldType.RATE})
PROTECTED = frozenset({Classification.PERSONAL, Classification.SENSITIVE, Classification.CARD})


@dataclass(frozen=True)
class TokenColumn:
    """A raw column that holds tokens of a person."""

    column: str
    domain: str
    sender: str  # SQL of the sender whose number it is
    is_added: bool  # of a custom template: a key of ``_extra``
    is_reference: bool  # names another person than the record's own

    @property
    def role(self) -> Role:
        return ROLES[self.domain]

    @property
    def value(self) -> str:
        """SQL of the token."""
        return f"({EXTRA} ->> '{self.column}')" if self.is_added else self.column

    @property
    def scope(self) -> str:
        """SQL of whose number it is."""
        return self.sender if self.domain in SENDERS_OWN else f"'{EVERYWHERE}'"


@dataclass(frozen=True)
class RawRecord:
    """One raw table as far as it may hold something of a person."""

    template: str  # the family: records of one document share it
    record: str
    table: str  # without its schema
    outcome: Outcome
    tokens: tuple[TokenColumn, ...]
    emptied: tuple[str, ...]  # columns that a record loses with its person
    emptied_added: tuple[str, ...]  # the same, keys of ``_extra``
    replaced: tuple[str, ...]  # required tokens: another takes their place, which leads nowhere
    document: str | None  # column that a document's records share: receipt_id, order_id
    is_head: bool  # one row per document
    columns: Mapping[str, str]  # raw column → type, in the order of the content's hash

    def of(self, *roles: Role) -> tuple[TokenColumn, ...]:
        """Token columns of some roles, references to others left out."""
        return tuple(c for c in self.tokens if c.role in roles and not c.is_reference)

    @property
    def references(self) -> tuple[TokenColumn, ...]:
        """Columns that name another person."""
        return tuple(c for c in self.tokens if c.is_reference and c.role is not Role.STAFF)


def raw_records(templates: Mapping[str, Template]) -> tuple[RawRecord, ...]:
    """Every raw table of the templates, those of custom templates within what they extend."""
    bases = [one for one in templates.values() if one.extends is None]
    return tuple(
        _raw_record(base, name, [t for t in templates.values() if t.extends == base.template])
        for base in bases
        for name in base.records
    )


def _raw_record(base: Template, name: str, others: list[Template]) -> RawRecord:
    record = base.records[name]
    added = {
        field: other.records[name].fields[field]
        for other in others
        for field in other.records[name].added
    }
    document = _document(base.records)
    has_document = document in record.fields
    own_lost = [_lost(*one) for one in record.fields.items()]
    return RawRecord(
        template=base.template,
        record=name,
        table=base.table(name),
        outcome=base.after_erasure,
        tokens=(*_tokens(record, record.fields, False), *_tokens(record, added, True)),
        emptied=tuple(c for emptied, _ in own_lost for c in emptied),
        emptied_added=tuple(c for one in added.items() for part in _lost(*one) for c in part),
        replaced=tuple(c for _, replaced in own_lost for c in replaced),
        document=document if has_document else None,
        is_head=has_document and record.key == (document,),
        columns=record.columns(),
    )


def _tokens(
    record: Record, fields: Mapping[str, TemplateField], is_added: bool
) -> Iterable[TokenColumn]:
    own = {record.fields[name].token_domain for name in record.key} - {None}
    for name, field in fields.items():
        if field.token_domain is not None:
            column = next(iter(field.columns(name)))
            is_reference = field.token_domain in own and name not in record.key
            sender = _sender(record, name)
            yield TokenColumn(column, field.token_domain, sender, is_added, is_reference)


def _sender(record: Record, name: str) -> str:
    """A field ``left_email`` is of ``left_sender`` where the record has one."""
    prefix = name.partition("_")[0]
    stated = f"{prefix}_sender"
    return f"coalesce({stated}, _sender)" if stated in record.fields else "_sender"


def _lost(name: str, field: TemplateField) -> tuple[list[str], list[str]]:
    """Columns of a field that are emptied, and those that another token replaces."""
    columns = list(field.columns(name))
    if field.token_domain is not None and ROLES[field.token_domain] is Role.STAFF:
        return [], []
    if field.classification not in PROTECTED:
        is_text_of_somebody = (
            field.treatment is Treatment.SCAN
            and field.classification is not Classification.PUBLIC
            and not field.required
        )
        return (columns, []) if is_text_of_somebody else ([], [])
    if field.treatment is Treatment.KEEP and field.type in AMOUNTS:
        return [], []  # what was paid is the sale's, not the person's
    return ([], columns) if field.required else (columns, [])


def _document(records: Mapping[str, Record]) -> str | None:
    """The key of one record that most of the others name."""
    found = {
        record.key[0]: sum(record.key[0] in other.fields for other in records.values())
        for record in records.values()
        if len(record.key) == 1
    }
    named = max(found, key=lambda name: found[name], default=None)
    return named if named is not None and found[named] > 1 else None
