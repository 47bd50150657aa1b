"""The YAML of a proposed feed and template, each decision with its evidence beside it.

Belongs here: text. Does not: decisions. What is open stands there as ``# decide:``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dagster_project.core.declarations import Dialect
from dagster_project.core.feeds.sql import identifier
from dagster_project.core.proposing.notes import Note
from dagster_project.core.proposing.own_template import (
    OCCURRENCE,
    RECORD,
    RETENTION_DAYS,
    OwnField,
    business_time,
    key_fields,
    own_fields,
)

if TYPE_CHECKING:
    from dagster_project.core.proposing.matching import Layout, Match
    from dagster_project.core.proposing.proposal import Findings

PLAIN = re.compile(r"^[A-Za-z_][\w ./-]*$")
# Words that YAML reads as something else than text.
WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
DEFAULTS = Dialect()
HEADING = """\
# Proposed from {files}: {records:,} records.
# Read every line; what could not be told from the samples is marked "decide:".
# tillhouse feed check {feed}/defs.yaml FILE... says what a file would do.
"""


def scalar(text: str) -> str:
    """A text as YAML, quoted where it must be."""
    if PLAIN.match(text) and text.lower() not in WORDS and text == text.strip():
        return text
    return re.sub(
        r"[\x7f-\x9f\u2028\u2029\ufeff]",
        lambda sign: f"\\u{ord(sign[0]):04x}",
        json.dumps(text, ensure_ascii=False),
    )


def one_line(text: str) -> str:
    """A text for a comment: what would end the line is shown, not done."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _comments(notes: Iterable[Note], about: str, indent: int) -> list[str]:
    pad = " " * indent
    return [pad + one_line(note.comment()) for note in notes if note.about == about]


def feed_text(findings: Findings, match: Match | None) -> tuple[str, tuple[Note, ...]]:
    """The feed's YAML and everything that was said in it."""
    notes = findings.notes if match is None else _notes_of(findings, match)
    lines = [*_heading(findings), "type: dagster_project.components.FeedComponent", "attributes:"]
    lines += _of_feed(findings, findings.feed if match is None else match.template.template)
    if match is not None and match.template.version != 1:
        lines.append(f"  template_version: {match.template.version}")
    lines += _comments(notes, "files", 2)
    lines += [f"  format: {findings.sampled.format}", f"  files: {scalar(_pattern(findings))}"]
    lines += [*_dialect(findings), *_arrival(findings), *_columns(findings, match)]
    lines += _own_records(findings) if match is None else _matched_records(match)
    return "\n".join(lines) + "\n", notes


def _notes_of(findings: Findings, match: Match) -> tuple[Note, ...]:
    """What is said where a shipped template decides types and classes."""
    told = [*findings.sampled.notes, *findings.spelling.notes]
    for mapped in match.records.values():
        for one in mapped.values():
            told += [note for note in one.notes if note not in told]
    unmapped = [c.name for c in findings.columns if c.name and c.name not in match.used]
    if unmapped:
        names = ", ".join(unmapped)
        template = match.template.template
        told.append(Note("columns", f"no field of {template} takes {names}", is_open=True))
    return tuple(told)


def layout_text(findings: Findings, layout: Layout) -> str:
    """A feed that takes everything but its own name from a shipped layout."""
    lines = [*_heading(findings), "type: dagster_project.components.FeedComponent", "attributes:"]
    lines += _of_feed(findings, None)
    lines += [
        f"  # The samples' columns are those of the layout {layout.name}, onto {layout.template}.",
        f"  layout: {layout.name}",
        f"  files: {scalar(_pattern(findings))}",
        "  # decide: the zone of times that state none",
        "  time_zone: UTC",
    ]
    return "\n".join(lines) + "\n"


def _heading(findings: Findings) -> list[str]:
    files = one_line(", ".join(path.name for path in findings.paths[:5]))
    more = len(findings.paths) - 5
    files += f" and {more} more" if more > 0 else ""
    text = HEADING.format(files=files, records=len(findings.sampled.rows), feed=findings.feed)
    return text.splitlines()


def _of_feed(findings: Findings, template: str | None) -> list[str]:
    lines = [
        f"  feed: {findings.feed}",
        "  # decide: what this is, for people who did not see the files",
        f"  description: {scalar('Files like ' + findings.paths[0].name)}",
        f"  sender: {findings.sender}",
        "  # decide: who to phone when a file is held back",
        "  owner: nobody yet",
    ]
    return lines if template is None else [*lines, f"  template: {template}"]


def _pattern(findings: Findings) -> str:
    """A pattern of the samples' names: what stays the same of them, and their ending."""
    names = [re.sub(r"\.(?:gz|zip|zst)$", "", p.name, flags=re.I) for p in findings.paths]
    endings = {name.rpartition(".")[2] for name in names if "." in name}
    start = re.match(r"[A-Za-z_]{3,}", names[0])
    shared = start[0] if start and all(name.startswith(start[0]) for name in names) else ""
    if len(endings) != 1 or not next(iter(endings)).isalnum():
        return f"{shared}*"
    return f"{shared}*.{next(iter(endings))}"


def _dialect(findings: Findings) -> list[str]:
    dialect = findings.dialect
    about = {note.about for note in findings.notes}
    lines = []
    for key, value in dialect.model_dump().items():
        if value == getattr(DEFAULTS, key) and key not in about:
            continue
        lines += _comments(findings.notes, key, 4)
        lines.append(f"    {key}: {_value(value)}")
    lines = _comments(findings.notes, "dialect", 4) + lines
    return ["  dialect:", *lines] if any(not line.strip().startswith("#") for line in lines) else []


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(json.dumps(one, ensure_ascii=False) for one in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def _arrival(findings: Findings) -> list[str]:
    lines = ["  # decide: the zone of times that state none", "  time_zone: UTC"]
    if findings.reject_threshold is not None:
        lines += [
            "  # decide: so much of the samples is rejected; a sound sender needs far less",
            f"  arrival: {{reject_threshold: {findings.reject_threshold:g}}}",
        ]
    return lines


def _columns(findings: Findings, match: Match | None) -> list[str]:
    lines = [*_comments(findings.notes, "columns", 2), "  columns:"]
    by_place = findings.sampled.format == "csv" and not findings.dialect.header
    for column in findings.columns:
        if (column.is_left_out or not column.name) and not by_place:
            lines += _comments(column.notes, column.name, 4)
            continue
        told = ""
        if match is not None and column.name not in match.used:
            kind = column.classification
            told = f"  # decide: not mapped ({kind}); a template that extends this one may take it"
        lines.append(f"    {scalar(column.name)}: []{told}")
    return lines


def _matched_records(match: Match) -> list[str]:
    lines = ["  records:"]
    for name, mapped in match.records.items():
        lines += [f"    {name}:", "      fields:"]
        for field, one in mapped.items():
            lines += [f"        {one_line(note.comment())}" for note in one.notes]
            lines.append(f"        {field}: {scalar(one.expression)}")
    return lines


def _own_records(findings: Findings) -> list[str]:
    lines = ["  records:", f"    {RECORD}:", "      fields:"]
    for one in own_fields(findings.columns):
        lines += _comments(one.column.notes, one.column.name, 8)
        lines.append(f"        {one.name}: {scalar(one.column.expression)}")
    if findings.key.has_repeats:
        names = ", ".join(identifier(column.name) for column in findings.columns if column.name)
        number = f"row_number() over (partition by {names} order by _record)"
        lines += [
            "        # A record that stands in a file twice is two records: numbered from 1.",
            f"        {OCCURRENCE}: {scalar(number)}",
        ]
    return lines


def own_template_text(findings: Findings) -> str:
    """The YAML of a template with one field for every column."""
    fields = own_fields(findings.columns)
    key = key_fields(fields, findings.columns, findings.key)
    files = one_line(findings.paths[0].name)
    lines = [
        f"# Proposed from {files}; no shipped template was taken. It belongs beside the shipped",
        "# ones; its rows reach the marts once a staging model reads them.",
        f"template: {findings.feed}",
        "version: 1",
        "# decide: what one record is, and what it is collected for",
        f"purpose: {scalar('Records of ' + files)}",
        "# decide: how long they are needed",
        f"retention_days: {RETENTION_DAYS}",
        "records:",
        f"  {RECORD}:",
        "    description: One row per record of the sender's file.",
        *_comments(findings.notes, "key", 4),
        f"    key: [{', '.join(key)}]",
    ]
    if (time := business_time(fields)) is not None:
        lines.append(f"    business_time: {time}")
    lines.append("    fields:")
    for one in fields:
        lines += _own_field(one)
    if findings.key.has_repeats:
        lines += [
            f"      {OCCURRENCE}:",
            "        {type: integer, class: internal, "
            'description: "Which of several equal records of a file this is, from 1."}',
        ]
    return "\n".join(lines) + "\n"


def _own_field(one: OwnField) -> list[str]:
    column = one.column
    told = {"type": column.type.value, "class": column.classification}
    if column.treatment != "keep":
        told["treatment"] = column.treatment
    if column.token_domain:
        told["token_domain"] = column.token_domain
    words = ", ".join(f"{key}: {value}" for key, value in told.items())
    description = json.dumps(f"The sender's {column.name or 'unnamed column'}.", ensure_ascii=False)
    return [
        *_comments(column.notes, column.name, 6),
        f"      {one.name}: {{{words}, description: {description}}}",
    ]


def open_lines(notes: Sequence[Note]) -> list[str]:
    """What a person has to decide, for the screen."""
    return [f"decide: {note.about}: {one_line(note.evidence)}" for note in notes if note.is_open]
