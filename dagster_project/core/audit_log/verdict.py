"""What came of looking through the audit log.

Belongs here: the comparison of lines, their chain and the head. Does not: reading files.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dagster_project.core.audit_log.lines import FIRST_SEAL, START, Head, read_line, seal_of

RESUMED = "resumed"  # a line that was written behind damage says so


@dataclass(frozen=True)
class BadLine:
    """A place where the log is not as it was written; ``line`` counts from 1, 0 is the head."""

    line: int
    why: str


@dataclass(frozen=True)
class AuditVerdict:
    """What a look at the whole log found; ``note`` tells of what is harmless."""

    line_count: int
    bad: tuple[BadLine, ...]
    note: str = ""

    @property
    def is_good(self) -> bool:
        """Whether every line is as it was written and none is missing."""
        return not self.bad


def judge(key: bytes, texts: Sequence[bytes], head: Head | None, *, has_head: bool) -> AuditVerdict:
    """Compare the log's lines with each other and with the head.

    A head one line behind, and a last line without its end, are what a kill leaves.
    """
    whole = [text for text in texts if text.endswith(b"\n")]
    bad = list(_broken(key, whole))
    notes = []
    if len(texts) > len(whole) and not bad:
        notes.append("the last line was not finished: its writer was stopped")
    if head is None:
        if has_head:
            bad.append(BadLine(0, "the head was changed"))
        elif len(whole) > 1:
            bad.append(BadLine(0, "the head is missing"))
        head = START
    bad += _beyond(whole, head, is_known=head is not START)
    if len(whole) == head.sequence + 1 and not bad:
        notes.append("the head is one line behind: its writer was stopped")
    return AuditVerdict(len(whole), tuple(bad), "; ".join(notes))


def _broken(key: bytes, texts: Sequence[bytes]) -> Iterator[BadLine]:
    """Lines that do not follow from the one before, each told once."""
    before, expected = FIRST_SEAL, 1
    for number, text in enumerate(texts, 1):
        found = read_line(text)
        if found is None:
            yield BadLine(number, "is no line of this log")
            expected += 1
            continue
        line, content = found
        if content.get(RESUMED):
            yield BadLine(number, "the log was damaged before this line was written")
        elif line.sequence != expected:
            yield BadLine(number, f"is number {line.sequence} where {expected} belongs")
        elif not hmac.compare_digest(seal_of(key, before, content), line.seal):
            yield BadLine(number, "was changed, or what stood before it was")
        before, expected = line.seal, line.sequence + 1


def _beyond(texts: Sequence[bytes], head: Head, *, is_known: bool) -> Iterator[BadLine]:
    """Where the log's end is not the head's."""
    if not is_known:
        return
    if len(texts) < head.sequence:
        yield BadLine(
            len(texts) + 1, f"is missing: the log ends here, the head says {head.sequence} lines"
        )
    elif len(texts) > head.sequence + 1:
        yield BadLine(head.sequence + 2, "stands behind the end that the head says")
    elif head.sequence:
        found = read_line(texts[head.sequence - 1])
        if found is None or found[0].seal != head.seal:
            yield BadLine(head.sequence, "is not the line that the head names")
