"""Samples of JSON lines, JSON and XML as a table of their records.

Belongs here: finding the records. Does not: how a load converts them (``feeds``); names of columns
are those that a load gives: an object's own keys, paths below an XML record.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError  # types; parsing is defusedxml's

from dagster_project.core.declarations import Dialect
from dagster_project.core.proposing.notes import Note
from dagster_project.core.proposing.tables import Table


@dataclass(frozen=True)
class Objects:
    """Records of a text that is no delimited one."""

    format: str
    table: Table
    root: Element | None = None  # of XML


def as_objects(content: bytes) -> Objects | None:
    """The text's records where it is JSON lines, JSON or XML; else nothing."""
    start = content.lstrip()[:1]
    if start == b"<":
        return _xml(content)
    if start not in {b"{", b"["}:
        return None
    lines = [line for line in content.decode(errors="replace").splitlines() if line.strip()]
    parsed = [_parsed(line) for line in lines]
    good = [one for one in parsed if isinstance(one, dict)]
    # One line may be one record, or a document around a list of them.
    is_document = len(good) == 1 and bool(_longest_list(good[0])[0])
    if good and len(good) >= 0.5 * len(lines) and not is_document:
        table = _table(good, Dialect(), (), len(lines) - len(good))
        return Objects("jsonl", table)
    whole = _parsed(content.decode(errors="replace"))
    if whole is None:
        return None
    path, records = _longest_list(whole)
    if not records:
        return None
    dialect = Dialect(record_path=path or None)
    note = Note("record_path", f"the longest list of objects, {len(records)} of them")
    return Objects("json", _table(records, dialect, (note,) if path else (), 0))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _longest_list(value: Any, path: str = "") -> tuple[str, list[dict[str, Any]]]:
    """The longest list of objects below a value, and its path."""
    if isinstance(value, list):
        return path, [one for one in value if isinstance(one, dict)]
    found: tuple[str, list[dict[str, Any]]] = (path, [])
    if isinstance(value, dict):
        for key, inner in value.items():
            other = _longest_list(inner, f"{path}/{key}" if path else key)
            if len(other[1]) > len(found[1]):
                found = other
        if (
            not found[1]
            and not path
            and not any(isinstance(v, dict | list) for v in value.values())
        ):
            return path, [value]
    return found


def _table(
    records: list[dict[str, Any]], dialect: Dialect, notes: tuple[Note, ...], broken: int
) -> Table:
    names = tuple(dict.fromkeys(key for record in records for key in record))
    rows = tuple([_text(record.get(name)) for name in names] for record in records)
    return Table(dialect, names, rows, True, notes, broken)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _xml(content: bytes) -> Objects | None:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException):
        return None
    counts = Counter(_local(one) for one in root.iter() if len(one))
    repeated = [(count, name) for name, count in counts.items() if name != _local(root)]
    name = _outermost(root, {n for count, n in repeated if count > 1}) or _local(root)
    records = [_flat(one) for one in root.iter() if _local(one) == name]
    note = Note("record_path", f"the outermost element that repeats, {len(records)} times", True)
    return Objects("xml", _table(records, Dialect(record_path=name), (note,), 0), root)


def paths_below(root: Element, record_path: str) -> frozenset[str]:
    """The names that columns of such records may have."""
    records = [_flat(one) for one in root.iter() if _local(one) == record_path]
    return frozenset(key for record in records for key in record)


def _outermost(root: Element, names: set[str]) -> str | None:
    level = list(root)
    while level:
        found = Counter(_local(one) for one in level if _local(one) in names)
        if found:
            return found.most_common(1)[0][0]
        level = [child for one in level for child in one]
    return None


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _flat(record: Element) -> dict[str, Any]:
    """Leaves by their path; what repeats is a list, for ``each``."""
    found: dict[str, Any] = {f"@{key.rpartition('}')[2]}": text for key, text in record.items()}
    _add(found, record, "")
    return found


def _add(found: dict[str, Any], element: Element, path: str) -> None:
    counts = Counter(_local(child) for child in element)
    for child in element:
        name = f"{path}{_local(child)}"
        if counts[_local(child)] > 1:
            listed = found.setdefault(f"{name}[]", [])
            inner: dict[str, Any] = {}
            _add(inner, child, "")
            listed.append(inner or (child.text or "").strip())
            continue
        for key, text in child.items():
            found[f"{name}@{key.rpartition('}')[2]}"] = text
        if len(child):
            _add(found, child, f"{name}/")
        else:
            found[name] = (child.text or "").strip()
