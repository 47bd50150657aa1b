"""Whether anything of a damaged file was lost or changed without a word.

A clean record may be in raw, unchanged; or the ledger or a reject tells where it went. Everything
else is counted: lost (neither), changed (in raw otherwise, though the damage did not touch it or
cannot have made it so), invented (a row the clean file does not have, beyond those it touched),
misplaced (a reject that does not begin at the line and byte it names).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from dagster_project.core.declarations import Treatment
from tests.conftest import Bench
from tests.pipeline.hostile.clean_files import KINDS as FILES
from tests.pipeline.hostile.clean_files import RECORDS
from tests.pipeline.hostile.polluter import KINDS, pollute

Row = tuple[Any, ...]
PACKED = b"\x1f\x8b"


@dataclass(frozen=True)
class Damaged:
    """One damaged file as it was delivered."""

    name: str
    prefix: str
    file: str
    kind: str
    content: bytes
    touched: frozenset[int]


@dataclass(frozen=True)
class Judged:
    """What became of it; the last five should be nothing."""

    one: Damaged
    status: str
    loaded: int
    rejected: int
    lost: int
    changed: int
    invented: int
    misplaced: int
    unbalanced: int

    @property
    def is_honest(self) -> bool:
        return not (self.lost or self.changed or self.invented or self.misplaced or self.unbalanced)


def damage(file: str, kind: str, seed: int, prefix: str) -> Damaged:
    """A damaged copy of a clean file with its own keys."""
    clean = FILES[file]
    content, touched = pollute(clean.lines(prefix), clean.format, kind, seed)
    name = f"{prefix}.{clean.format}"
    return Damaged(name, prefix, file, kind, content, frozenset(touched))


def fits(file: str, kind: str) -> bool:
    """Whether the kind of damage is one of the file's format."""
    return FILES[file].format in KINDS[kind].formats


def clean_rows(bench: Bench, file: str) -> list[Row]:
    """Business columns of the clean file's rows by record, after it was loaded as ``clean``."""
    bench.deliver(f"clean.{FILES[file].format}", b"\n".join([*FILES[file].lines("clean"), b""]))
    outcome = bench.load()
    assert (outcome.physical_count, outcome.loaded_count) == (RECORDS, RECORDS)
    return bench.rows(
        f"select {_columns(bench)} from {_table(bench)} where _feed = ? order by _record_number",
        bench.feed.feed,
    )


def judge_all(bench: Bench, clean: list[Row], delivered: list[Damaged]) -> list[Judged]:
    """Deliver damaged files, load them in one go, and judge each."""
    for one in delivered:
        bench.deliver(one.name, one.content)
    bench.load()
    return [_judge(bench, clean, one) for one in delivered]


def _judge(bench: Bench, clean: list[Row], one: Damaged) -> Judged:
    ((file_id, status, *counts, reason),) = bench.rows(
        "select file_id, status, physical_count, loaded_count, rejected_count, duplicate_count, "
        "reason from ops.file_ledger where original_name = ? and feed = ?",
        one.name,
        bench.feed.feed,
    )
    physical, loaded, rejected, duplicate = counts
    rows = Counter(
        bench.rows(f"select {_columns(bench)} from {_table(bench)} where _file_id = ?", file_id)
    )
    rejects = bench.rows(
        "select first_line, last_line, byte_offset from ops.rejects where file_id = ?", file_id
    )
    place = _key_place(bench, one)
    expected = [_with_key(bench, row, one, number, place) for number, row in enumerate(clean)]
    may_differ = KINDS[one.kind].makes_others
    others = list((rows - Counter(expected)).elements())
    known = {row[place]: number for number, row in enumerate(expected)}
    changed = [row for row in others if not may_differ or known.get(row[place]) not in
               {None, *one.touched}]  # fmt: skip
    is_held = status == "quarantined"
    text = _text(one)
    told = _told(text, rejects)
    silent = [
        number
        for number, row in enumerate(expected)
        if row not in rows and _key(one, number) in text and _key(one, number) not in told
    ]
    lost = [number for number in silent if not (may_differ and number in one.touched)]
    return Judged(
        one,
        status,
        loaded,
        rejected,
        lost=0 if is_held else len(lost) + max(0, len(silent) - len(lost) - len(others)),
        changed=len(changed),
        invented=max(0, len(others) - len(changed) - 2 * len(one.touched)),
        misplaced=sum(not _begins_there(text, *found) for found in rejects),
        unbalanced=int(physical != loaded + rejected + duplicate or (is_held and not reason)),
    )


def _key(one: Damaged, number: int) -> bytes:
    return f"{one.prefix}K{number:04d}".encode()


def _text(one: Damaged) -> bytes:
    """The damaged text as the loader counts it: unpacked, without a mark before it."""
    content = one.content
    if content.startswith(PACKED):
        clean = FILES[one.file]
        content = pollute(clean.lines(one.prefix), clean.format, "no last newline", 0)[0] + b"\n"
    return content.removeprefix(b"\xef\xbb\xbf")


def _told(text: bytes, rejects: list[tuple[int, int, int]]) -> bytes:
    """The text of all rejected records: from the byte on which each begins, to its last line."""
    found = []
    for first, last, offset in rejects:
        lines = text[offset:].splitlines(keepends=True)
        found.append(b"".join(lines[: last - first + 1]))
    return b"\n".join(found)


def _begins_there(text: bytes, first: int, _last: int, offset: int) -> bool:
    """Whether a record begins at the byte, and so many lines, however they end, lie before it."""
    before = text[:offset]
    ends = before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")
    return first - 1 in {ends, before.count(b"\n")} and before[-1:] in {b"", b"\r", b"\n"}


def _table(bench: Bench) -> str:
    (record,) = bench.feed.records
    return f"raw.{bench.template.table(record)}"


def _columns(bench: Bench) -> str:
    (record,) = bench.feed.records
    return ", ".join(bench.template.records[record].columns())


def _key_place(bench: Bench, one: Damaged) -> int:
    """Which business column holds the key."""
    (record,) = bench.feed.records
    declared = bench.template.records[record]
    name = next(iter(FILES[one.file].fields.values()))
    return list(declared.columns()).index(next(iter(declared.fields[name].columns(name))))


def _with_key(bench: Bench, row: Row, one: Damaged, number: int, place: int) -> Row:
    """The clean record as the damaged file's key makes it."""
    (record,) = bench.feed.records
    field = bench.template.records[record].fields[next(iter(FILES[one.file].fields.values()))]
    key = _key(one, number).decode()
    if field.treatment is Treatment.TOKEN:
        key = bench.warehouse.key.token(field.token_domain or "", key)
    return (*row[:place], key, *row[place + 1 :])
