"""Several samples of one kind as one table: read alike, or said where they differ.

Belongs here: joining what the samples say. Does not: judging columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree.ElementTree import Element  # the type alone

from dagster_project.core.declarations import Dialect
from dagster_project.core.proposing.dialects import find_dialect
from dagster_project.core.proposing.notes import Note
from dagster_project.core.proposing.objects import as_objects
from dagster_project.core.proposing.opening import (
    MAX_SAMPLE_BYTES,
    Opened,
    ProposingError,
    find_encoding,
    open_sample,
)
from dagster_project.core.proposing.tables import Table, find_table
from dagster_project.core.proposing.workbooks import read_parquet_sample, read_workbook


@dataclass(frozen=True)
class Sampled:
    """All samples together."""

    format: str
    dialect: Dialect
    names: tuple[str, ...]
    rows: tuple[list[str], ...]
    is_named: bool  # by the sender
    notes: tuple[Note, ...]
    broken: int
    root: Element | None = None  # of the XML sample with most records

    @property
    def sender_names(self) -> tuple[str, ...]:
        """The names where the sender gave them."""
        return self.names if self.is_named else ()


def read_samples(paths: Sequence[Path]) -> Sampled:
    """The samples' common table; raises ProposingError for what cannot be read."""
    read = [_read(open_sample(path)) for path in paths]
    first = max(read, key=lambda one: len(one.rows))
    notes = list(first.notes)
    for path, one in zip(paths, read, strict=True):
        if one.format != first.format:
            raise ProposingError(f"{path.name} is {one.format}, the others are {first.format}")
        if one.dialect != first.dialect:
            told = f"{path.name} is written another way: {_difference(one.dialect, first.dialect)}"
            notes.append(Note("dialect", told, is_open=True))
    common = [name for name in first.names if all(name in one.names for one in read)]
    if not common:
        raise ProposingError("the samples have no column in common: they are not of one kind")
    for name in first.names:
        if name not in common:
            notes.append(Note("columns", f"{name} does not stand in every sample", is_open=True))
    rows: list[list[str]] = []
    for one in read:
        places = [one.names.index(name) for name in common]
        is_same = places == list(range(len(one.names)))
        rows += one.rows if is_same else [[row[place] for place in places] for row in one.rows]
    return Sampled(
        first.format, first.dialect, tuple(common), tuple(rows), first.is_named, tuple(notes),
        sum(one.broken for one in read), first.root,
    )  # fmt: skip


def _difference(one: Dialect, other: Dialect) -> str:
    return ", ".join(
        f"{key} {value!r}"
        for key, value in one.model_dump().items()
        if value != getattr(other, key)
    )


def _read(opened: Opened) -> Sampled:
    if opened.kind in {"xlsx", "xls"}:
        return _of_table(read_workbook(opened), opened.kind, [])
    if opened.kind == "parquet":
        return _of_table(read_parquet_sample(opened), "parquet", [])
    encoding = find_encoding(opened.content)
    told = Note("encoding", encoding.evidence, is_open=not encoding.is_sure)
    notes = [told] if not (encoding.is_sure and encoding.name == "utf-8") else []
    if opened.packing:
        notes.append(Note("files", f"packed with {opened.packing}: unpacked on arrival"))
    if not opened.is_whole:
        size = MAX_SAMPLE_BYTES >> 20
        notes.append(Note("files", f"only the first {size} MiB of {opened.path.name} were read"))
    content = opened.content.decode(encoding.name, "replace").removeprefix("\ufeff").encode()
    if (objects := as_objects(content)) is not None:
        found = _of_table(objects.table, objects.format, notes, encoding.name)
        return replace(found, root=objects.root)
    cut = find_dialect(content)
    if cut.dialect.quote is None:
        told = "quotes stand in the samples but never around a cell: signs like any other"
        notes.append(Note("quote", told, is_open=True))
    return _of_table(find_table(content, cut.dialect), "csv", notes, encoding.name)


def _of_table(table: Table, kind: str, notes: Sequence[Note], encoding: str = "utf-8") -> Sampled:
    return Sampled(
        kind, table.dialect.model_copy(update={"encoding": encoding}), table.names, table.rows,
        table.is_named, (*notes, *table.notes), table.broken,
    )  # fmt: skip
