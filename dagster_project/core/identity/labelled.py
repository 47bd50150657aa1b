"""Labelled records from files: what is known of each, and who it truly is.

Belongs here: reading a set whose answers are known, columns mapped by a small YAML. Does not:
matching (``matching``), or anything of the warehouse.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.core.identity import normalise
from dagster_project.core.yaml_files import read_yaml

SHIPPED = Path(__file__).with_name("labelled.yaml")
FIELDS = (
    "given", "family", "birth", "city", "region", "postcode", "street", "email", "phone", "number",
)  # fmt: skip


class LabelledSetError(Exception):
    """A labelled set cannot be read; the message names the file and what is missing."""


@dataclass(frozen=True)
class Columns:
    """Which headers say what, and how an id tells the person."""

    columns: Mapping[str, list[str]]
    person_pattern: str


@dataclass(frozen=True)
class LabelledRecord:
    """One record: its own id, its true person, and its fields in one spelling each."""

    record: str
    person: str
    values: Mapping[str, str | None]


def load_columns(path: Path | None = None) -> Columns:
    """The shipped words, overridden by those of a file.

    Raises LabelledSetError where the file has other keys than ``columns``, ``person_pattern``.
    """
    told: dict[str, Any] = read_yaml(SHIPPED.read_text("utf-8"))
    own: dict[str, Any] = read_yaml(path.read_text("utf-8")) if path else {}
    if not isinstance(own, dict) or (unknown := set(own) - set(told)):
        raise LabelledSetError(f"{path}: expected columns and person_pattern, found {unknown}")
    known = dict(told["columns"])
    for word, headers in (own.get("columns") or {}).items():
        if word not in known:
            raise LabelledSetError(f"{path}: {word!r} is none of {', '.join(known)}")
        known[word] = [headers] if isinstance(headers, str) else list(headers)
    return Columns(known, own.get("person_pattern", told["person_pattern"]))


def read_records(
    paths: Iterable[Path], columns: Columns, country: str | None = None
) -> list[LabelledRecord]:
    """All records of CSV files, in one set; ``country`` is where phones without a prefix are.

    Raises LabelledSetError where a file has no id or a record no person.
    """
    return [record for path in paths for record in _read_file(path, columns, country)]


def _read_file(path: Path, columns: Columns, country: str | None) -> Iterator[LabelledRecord]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.DictReader(handle, skipinitialspace=True)
        headers = {_word(name): name for name in reader.fieldnames or ()}
        places = {
            word: next((headers[_word(n)] for n in names if _word(n) in headers), None)
            for word, names in columns.columns.items()
        }
        if places["record"] is None:
            raise LabelledSetError(f"{path}: no column says which record it is")
        for number, row in enumerate(reader, start=1):
            cells = {
                word: (row[header] or "").strip() or None if header else None
                for word, header in places.items()
            }
            person = cells["person"] or _person(cells["record"], columns.person_pattern)
            if person is None or cells["record"] is None:
                raise LabelledSetError(f"{path}: nothing says who record {number} is")
            yield LabelledRecord(f"{path.name}:{cells['record']}", person, _normal(cells, country))


def _word(header: str) -> str:
    return re.sub(r"\W+", "_", header.strip().lower())


def _person(record: str | None, pattern: str) -> str | None:
    found = re.search(pattern, record or "")
    return found.group(1) if found else None


def _normal(cells: Mapping[str, str | None], country: str | None) -> dict[str, str | None]:
    if cells["name"] and not cells["family"]:
        given, family = normalise.split_name(cells["name"])
    else:
        given, family = normalise.fold(cells["given"]), normalise.fold(cells["family"])
    street = " ".join(filter(None, (cells["house"], cells["street"], cells["street_more"])))
    return {
        "given": given,
        "family": family,
        "birth": normalise.digits_of(cells["birth"]),
        "city": normalise.fold(cells["city"]),
        "region": normalise.fold(cells["region"]),
        "postcode": normalise.digits_of(cells["postcode"]),
        "street": normalise.words_of(street),
        "email": normalise.email_of(cells["email"]),
        "phone": normalise.phone_of(cells["phone"], country),
        "number": normalise.digits_of(cells["number"]),
    }
