"""What a template needs and a flat file does not say in a column of its own.

Belongs here: constants, numbers of lines, times in two columns, the record above lines; each with
the reason, most of them for a person to decide. Does not: which template (``matching``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dagster_project.core.declarations import FieldType, Record
from dagster_project.core.feeds.sql import identifier, literal
from dagster_project.core.proposing.columns import Column
from dagster_project.core.proposing.kinds import Kind
from dagster_project.core.proposing.notes import Note
from dagster_project.core.proposing.words import meanings

# Field → constant and what a person has to decide about it.
CONSTANTS: dict[str, tuple[str, str]] = {
    "receipt_type": ("sale", "every receipt is taken for a sale: say how returns and voids look"),
    "order_type": ("sale", "every order is taken for a sale: say how returns and voids look"),
    "line_type": ("sale", "every line is taken for a sale: say how returns and fees look"),
    "currency_code": ("XXX", "the currency of the amounts, ISO 4217; XXX stands for none"),
    "store_code": ("main", "the file names no shop: which one is it"),
    "channel_code": ("web", "the file names no channel"),
    "discount_amount": ("0", "the file states no discount"),
    "tax_amount": ("0", "the file states no tax: are amounts net"),
    "effective_at": ("2000-01-01", "since when the row holds; the file does not say"),
    "updated_at": ("2000-01-01", "when the row was written; the file does not say"),
    "platform": ("web", "where it was posted"),
}
NUMBERED = {
    "line_number": "receipt_id",
    "tender_number": "receipt_id",
    "payment_number": "order_id",
}


@dataclass(frozen=True)
class Mapped:
    """SQL for one field, the sender's columns in it, and what is to be said of it."""

    expression: str
    columns: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()

    @classmethod
    def read_day_first(cls, column: Column) -> Mapped:
        """A time whose order of day and month nothing decides: day first, until told otherwise."""
        name = identifier(column.name)
        read = [
            f"cast(try_strptime({name}, {literal(one)}) as varchar)" for one in column.open_formats
        ]
        told = (
            "day-first or month-first cannot be told from the samples: read DAY FIRST until decided"
        )
        expression = f"coalesce({', '.join(read)}, {name})"
        return cls(expression, (column.name,), (Note(column.name, told, is_open=True),))


def given(name: str, found: Mapping[str, Mapped], record: Record) -> Mapped | None:
    """A field that needs no column, if there is a way to have it."""
    if name in NUMBERED:
        return _numbered(name, found, record)
    if name == "list_amount" and {"quantity", "unit_price"} <= found.keys():
        quantity, price = _number(found["quantity"]), _number(found["unit_price"])
        text = f"cast({quantity} as decimal(18, 3)) * cast({price} as decimal(18, 4))"
        return Mapped(text, (), (Note(name, "quantity times price"),))
    if name == "list_amount" and "total_amount" in found:
        return Mapped(found["total_amount"].expression, (), ())
    if name == "line_type" and "quantity" in found and "return" in record.fields[name].allowed:
        quantity = f"try_cast({_number(found['quantity'])} as double)"
        text = f"case when {quantity} < 0 then 'return' else 'sale' end"
        told = "negative quantities are taken for returns: say how fees and voids look"
        return Mapped(text, (), (Note(name, told, is_open=True),))
    if name in CONSTANTS:
        value, told = CONSTANTS[name]
        return Mapped(literal(value), (), (Note(name, told, is_open=True),))
    return None


def _number(mapped: Mapped) -> str:
    """A number's text in SQL's spelling; a bare column is read by the dialect's marks."""
    is_bare = mapped.columns == (mapped.expression,)
    return f"amount({identifier(mapped.expression)})" if is_bare else mapped.expression


def _numbered(name: str, found: Mapping[str, Mapped], record: Record) -> Mapped | None:
    """Numbers of lines in the order of the file, within their receipt."""
    within = next((one for one in record.key if one != name and one in found), None)
    if within is None:
        return None
    expression = found[within].expression
    columns = found[within].columns
    part = identifier(expression) if columns == (expression,) else expression
    text = f"row_number() over (partition by {part} order by _record)"
    return Mapped(text, (), (Note(name, "numbered in the order of the file"),))


def joined_time(usable: Sequence[Column], taken: set[str]) -> Mapped | None:
    """A day in one column and a clock in another, or the day alone."""
    free = [one for one in usable if one.name not in taken]
    day = next((c for c in free if c.type is FieldType.DATE and "date" in meanings(c.name)), None)
    if day is None:
        return None
    name = identifier(day.name)
    read = f"day({name})" if day.date_formats else name
    clock = next((c for c in free if "time" in meanings(c.name) and _is_clock(c)), None)
    if clock is None:
        return Mapped(read, (day.name,), (*day.notes, Note(day.name, "no time of day is given")))
    return Mapped(f"{read} || ' ' || {identifier(clock.name)}", (day.name, clock.name), day.notes)


def _is_clock(column: Column) -> bool:
    values = column.values
    return values is not None and values.kinds()[Kind.TIME] >= 0.98 * max(1, values.filled)


def per_head(
    above: dict[str, Mapped],
    key: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
) -> dict[str, Mapped]:
    """The record above lines: only what does not change within it; its time is the first one."""
    places = {column.name: place for place, column in enumerate(columns)}
    heads = [places[name] for name in above[key].columns]
    found = {}
    for name, mapped in above.items():
        if _is_constant([places[one] for one in mapped.columns], heads, rows):
            found[name] = mapped
        elif name.endswith("_at"):
            part = ", ".join(identifier(columns[place].name) for place in heads)
            inner = mapped.expression
            inner = identifier(inner) if mapped.columns == (inner,) else inner
            text = f"min({inner}) over (partition by {part})"
            told = Note(name, "the earliest of its lines")
            found[name] = replace(mapped, expression=text, notes=(*mapped.notes, told))
    return found


def _is_constant(places: list[int], heads: list[int], rows: Sequence[Sequence[str]]) -> bool:
    seen: dict[tuple[str, ...], tuple[str, ...]] = {}
    for row in rows:
        head = tuple(row[place] for place in heads)
        value = tuple(row[place] for place in places)
        if seen.setdefault(head, value) != value:
            return False
    return True
