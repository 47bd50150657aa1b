"""Which shipped template or layout the columns belong to.

Belongs here: scoring. Does not: writing. A template fits where every field it needs is there or
can be given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dagster_project.core.declarations import Template, layout_names, read_layout
from dagster_project.core.proposing.columns import Column
from dagster_project.core.proposing.samples import Sampled


@dataclass(frozen=True)
class Layout:
    """A shipped layout whose columns the samples have."""

    name: str
    template: str


@dataclass(frozen=True)
class Match:
    """A shipped template with what maps onto it: record → field → SQL."""

    template: Template
    fields: dict[str, dict[str, str]]
    evidence: str


def matching_layout(sampled: Sampled) -> Layout | None:
    """The layout with most columns, all of them in the samples."""
    found: list[tuple[int, str]] = []
    for name in layout_names():
        base = read_layout(name)
        columns = base.get("columns") or {}
        if base.get("format") != sampled.format or not columns or not sampled.is_named:
            continue
        names = set(sampled.names)
        if all(names & {column, *(aliases or ())} for column, aliases in columns.items()):
            found.append((len(columns), name))
    if not found:
        return None
    name = max(found)[1]
    return Layout(name, str(read_layout(name).get("template")))


def best_match(
    columns: Sequence[Column], templates: Mapping[str, Template], wanted: str | None
) -> Match | None:
    """The shipped template that fits best, or the wanted one; nothing where none fits."""
    return None
