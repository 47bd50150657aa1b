"""Appending to the audit log, and looking through it.

Belongs here: the two files and what a kill between them leaves. Does not: a line's form. The key
is derived from the secret that outlives a rotation of the encryption keys: the chain reaches over
it. Whoever can write the home may put an older log back together with its older head; only a copy
elsewhere (every backup holds one) shows that.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from dagster_project.core.audit_log.lines import (
    START,
    Head,
    make_head,
    make_line,
    read_head,
    read_line,
    seal_of,
)
from dagster_project.core.audit_log.verdict import RESUMED, AuditVerdict, judge
from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey, write_durably

EVENTS = frozenset(
    {
        "load",
        "publish",
        "rollback",
        "export",
        "share",
        "erase",
        "consent",
        "key",
        "backup",
        "restore",
        "retention",
        "steward",
    }
)
PURPOSE = "audit"
FILE_MODE = 0o600
LOG, HEAD = "audit.jsonl", "audit.head"


def log_path(home: Home) -> Path:
    """The log: one line of JSON per event."""
    return home.private / LOG


def head_path(home: Home) -> Path:
    """How far the log reaches."""
    return home.private / HEAD


def record(
    home: Home, key: MasterKey, event: str, subject: str, **details: str | int | None
) -> None:
    """Append one event, durable when this returns.

    ``details`` hold counts and identifiers, never a personal value. Raises ValueError on an event
    of no known kind, OSError where the log cannot be written. Behind a damaged end the log goes on
    with a line that says so: an event that happened is not lost, and the damage stays found.
    """
    if event not in EVENTS:
        raise ValueError(f"{event!r} is no kind of event; known: {', '.join(sorted(EVENTS))}")
    secret = key.derive(PURPOSE)
    with _locked(home) as log:
        last, is_damaged = _end(secret, home, log)
        if last == START and not is_damaged:
            first = _content("key", key.key_id, {"first": "the log begins with this key"})
            last = _put(home, secret, log, last, first)
        more = {RESUMED: True} if is_damaged else {}
        _put(home, secret, log, last, _content(event, subject, details) | more)


def _content(event: str, subject: str, details: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "actor": _actor(),
        "event": event,
        "subject": subject,
        "details": details,
    }


def _put(home: Home, secret: bytes, log: BinaryIO, last: Head, content: dict[str, Any]) -> Head:
    """Append one line behind the last, and move the head to it."""
    line = make_line(secret, last.seal, content | {"sequence": last.sequence + 1})
    _append(log, line.text)
    head = Head(line.sequence, line.seal, os.fstat(log.fileno()).st_size)
    write_head(home, secret, head)
    return head


def verify(home: Home, key: MasterKey) -> AuditVerdict:
    """Look through the whole log; no log at all is a good one of no lines."""
    if not log_path(home).exists() and not head_path(home).exists():
        return AuditVerdict(0, ())
    with _locked(home) as log:
        log.seek(0)
        texts = log.read().splitlines(keepends=True)
        head = _head(home, key.derive(PURPOSE))
    return judge(key.derive(PURPOSE), texts, head, has_head=head_path(home).exists())


def copy_log(home: Home, folder: Path) -> int:
    """Copy log and head as they belong together; how many lines the log has."""
    if not log_path(home).exists():
        return 0
    with _locked(home) as log:
        log.seek(0)
        text = log.read()
        (folder / LOG).write_bytes(text)
        if head_path(home).exists():
            shutil.copy2(head_path(home), folder / HEAD)
    return text.count(b"\n")


def take_log(home: Home, folder: Path) -> None:
    """Take over a copied log where the home has none of its own yet."""
    if (folder / LOG).exists() and not log_path(home).exists():
        shutil.copy2(folder / LOG, log_path(home))
        if (folder / HEAD).exists():
            shutil.copy2(folder / HEAD, head_path(home))


def write_head(home: Home, secret: bytes, head: Head) -> None:
    """Say how far the log reaches, by one rename."""
    write_durably(head_path(home), make_head(secret, head))


@contextmanager
def _locked(home: Home) -> Iterator[BinaryIO]:
    home.private.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(log_path(home), "a+b", buffering=0, opener=_private) as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        yield log


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, FILE_MODE)


def _head(home: Home, secret: bytes) -> Head | None:
    try:
        return read_head(secret, head_path(home).read_bytes())
    except FileNotFoundError:
        return None


def _end(secret: bytes, home: Home, log: BinaryIO) -> tuple[Head, bool]:
    """The last line that stands, and whether the log's end is damaged.

    What a kill left is put right: an unfinished line is cut off, a line that the head does not
    know yet is counted.
    """
    head = _head(home, secret)
    if head is None and head_path(home).exists():
        return _last_readable(log), True
    head = head or START
    size = os.fstat(log.fileno()).st_size
    log.seek(head.size_bytes)
    behind = log.read() if size >= head.size_bytes else b""
    lines, torn = _split(behind)
    if size < head.size_bytes or len(lines) > 1 or not _follows(secret, head, lines):
        return max(head, _last_readable(log), key=lambda one: one.sequence), True
    if torn:
        os.ftruncate(log.fileno(), size - len(torn))
    for text in lines:
        line, _ = read_line(text) or (None, None)
        head = Head(line.sequence, line.seal, head.size_bytes + len(text)) if line else head
    return head, False


def _split(data: bytes) -> tuple[list[bytes], bytes]:
    """Whole lines, and what stands behind the last one."""
    lines = data.splitlines(keepends=True)
    torn = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
    return lines, torn


def _follows(secret: bytes, head: Head, lines: list[bytes]) -> bool:
    """Whether the lines behind the head follow from it."""
    for text in lines:
        found = read_line(text)
        if found is None or found[0].sequence != head.sequence + 1:
            return False
        if found[0].seal != seal_of(secret, head.seal, found[1]):
            return False
    return True


def _last_readable(log: BinaryIO) -> Head:
    log.seek(0)
    data = log.read()
    if data and not data.endswith(b"\n"):
        _append(log, b"\n")
    found = [read_line(text) for text in data.splitlines(keepends=True)]
    lines = [one[0] for one in found if one is not None]
    last = max(lines, key=lambda line: line.sequence, default=None)
    return Head(last.sequence, last.seal, len(data)) if last else START


def _append(log: BinaryIO, text: bytes) -> None:
    """Write all of it; what a full disk took only part of is taken back."""
    size = os.fstat(log.fileno()).st_size
    try:
        written = log.write(text)
        if written != len(text):
            raise OSError(28, os.strerror(28), LOG)
        os.fsync(log.fileno())
    except OSError:
        os.ftruncate(log.fileno(), size)
        raise


def _actor() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
