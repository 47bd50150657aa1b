"""From sample files to the text of a feed, and of a template where none fits.

Belongs here: the order of the steps. Does not: the steps, files to write to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dagster_project.core.declarations import Dialect, FieldType, Template
from dagster_project.core.proposing.columns import (
    MISSING_WORDS,
    Column,
    Spelling,
    find_spelling,
    propose_column,
    values_of,
)
from dagster_project.core.proposing.matching import best_match, matching_layout
from dagster_project.core.proposing.natural_keys import NaturalKey, find_key
from dagster_project.core.proposing.notes import Note
from dagster_project.core.proposing.opening import ProposingError
from dagster_project.core.proposing.samples import Sampled, read_samples
from dagster_project.core.proposing.writing import feed_text, layout_text, own_template_text

NEW = "new"  # asked for instead of a shipped template's name


@dataclass(frozen=True)
class Proposal:
    """What was found, as text to be written."""

    feed: str
    feed_yaml: str
    template: str
    template_yaml: str | None  # of a template of its own
    layout: str | None
    notes: tuple[Note, ...]
    sender_names: tuple[str, ...]  # of the columns; none where the files have no header

    @property
    def open_notes(self) -> list[Note]:
        """What a person has to decide."""
        return [note for note in self.notes if note.is_open]


@dataclass(frozen=True)
class Findings:
    """Everything that is known of the samples."""

    feed: str
    sender: str
    paths: tuple[Path, ...]
    sampled: Sampled
    dialect: Dialect
    columns: tuple[Column, ...]
    spelling: Spelling
    key: NaturalKey
    reject_threshold: float | None = None

    @property
    def notes(self) -> tuple[Note, ...]:
        """All decisions, of the file first."""
        told = [*self.sampled.notes, *self.spelling.notes]
        for column in self.columns:
            told += column.notes
        return (*told, Note("key", self.key.evidence, self.key.is_open))


def propose(
    paths: Sequence[Path],
    templates: Mapping[str, Template],
    *,
    feed: str,
    sender: str | None = None,
    template: str | None = None,
    reject_threshold: float | None = None,
) -> Proposal:
    """A first feed for files like these; ``template`` names a shipped one, or ``new``.

    Raises ProposingError where the samples cannot be read as one table.
    """
    findings = _find(paths, feed, sender or feed, reject_threshold)
    layout = matching_layout(findings.sampled) if template is None else None
    if layout is not None:
        told = Note("layout", f"the samples' columns are those of the layout {layout.name}")
        text = layout_text(findings, layout)
        notes = (told, *(n for n in findings.sampled.notes if n.is_open))
        return Proposal(
            feed, text, layout.template, None, layout.name, notes, findings.sampled.sender_names
        )
    match = None
    if template != NEW:
        match = best_match(findings.columns, findings.sampled.rows, templates, template)
    if match is None and template not in {None, NEW}:
        raise ProposingError(
            f"no column gives what the template {template} needs; try --template new"
        )
    if match is None:
        return _own(findings)
    text, notes = feed_text(findings, match)
    names = findings.sampled.sender_names
    return Proposal(feed, text, match.template.template, None, None, notes, names)


def _own(findings: Findings) -> Proposal:
    template_yaml = own_template_text(findings)
    text, notes = feed_text(findings, None)
    names = findings.sampled.sender_names
    return Proposal(findings.feed, text, findings.feed, template_yaml, None, notes, names)


def _find(
    paths: Sequence[Path], feed: str, sender: str, reject_threshold: float | None
) -> Findings:
    sampled = read_samples(paths)
    values = values_of(sampled.names, sampled.rows)
    spelling = find_spelling(values)
    columns = tuple(propose_column(one, spelling) for one in values)
    columns, formats_note = _without_conflict(columns)
    dialect = _spelled(sampled.dialect, spelling, columns)
    if formats_note:
        spelling = Spelling(
            spelling.decimal_mark, spelling.thousands_mark, spelling.is_day_first,
            (*spelling.notes, formats_note),
        )  # fmt: skip
    return Findings(
        feed, sender, tuple(paths), sampled, dialect, columns, spelling,
        find_key(columns, sampled.rows), reject_threshold,
    )  # fmt: skip


def _without_conflict(columns: tuple[Column, ...]) -> tuple[tuple[Column, ...], Note | None]:
    """Days of all columns are read by one list of formats, ISO ones only where it names them."""
    named = {f for one in columns if one.type is FieldType.DATE for f in one.date_formats}
    plain = [c.name for c in columns if c.type is FieldType.DATE and not c.date_formats]
    if named and plain:
        return columns, Note("date_formats", f"{', '.join(plain)} is written as ISO 8601 says")
    return columns, None


def _spelled(dialect: Dialect, spelling: Spelling, columns: Sequence[Column]) -> Dialect:
    """The dialect with what the values say of numbers, days and missing values."""
    days = _formats(columns, FieldType.DATE, "%Y-%m-%d")
    moments = _formats(columns, FieldType.TIMESTAMP, "%Y-%m-%d %H:%M:%S")
    missing = sorted(
        {
            value
            for column in columns
            if column.type is not FieldType.TEXT and column.values is not None
            for value in column.values.counts
            if value.strip().lower() in MISSING_WORDS
        }
    )
    return dialect.model_copy(
        update={
            "decimal_mark": spelling.decimal_mark,
            "thousands_mark": spelling.thousands_mark,
            "date_formats": days,
            "timestamp_formats": moments,
            "null_text": ("", *missing),
        }
    )


def _formats(columns: Sequence[Column], kind: FieldType, iso: str) -> tuple[str, ...]:
    chosen = [c for c in columns if c.type is kind]
    named = [form for column in chosen for form in column.date_formats]
    if not named:
        return ()
    plain = [iso] if any(not column.date_formats for column in chosen) else []
    return tuple(dict.fromkeys([*named, *plain]))
