"""One line of the audit log, and its head: how they are written, sealed and read.

Belongs here: their form. Does not: files. A line's seal is an HMAC over the seal of the line
before it and its own content, so a line can neither be changed nor taken out nor moved without
the key; the head says how far the log reaches, so its end cannot be cut off either.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

FIRST_SEAL = "0" * 64  # before the first line
SEAL = "seal"


@dataclass(frozen=True)
class Line:
    """A line with its seal: the number counts from 1."""

    sequence: int
    seal: str
    text: bytes  # as it stands in the file, with its end of line


@dataclass(frozen=True)
class Head:
    """How far the log reaches: its last line and the bytes up to that line's end."""

    sequence: int
    seal: str
    size_bytes: int


START = Head(0, FIRST_SEAL, 0)


def seal_of(key: bytes, before: str, content: Mapping[str, Any]) -> str:
    """The seal of a line's content behind the line with the seal ``before``."""
    return hmac.new(key, f"{before}\n{_written(content)}".encode(), sha256).hexdigest()


def make_line(key: bytes, before: str, content: Mapping[str, Any]) -> Line:
    """The line of a content, which holds its own sequence number."""
    seal = seal_of(key, before, content)
    text = _written({**content, SEAL: seal}) + "\n"
    return Line(int(content["sequence"]), seal, text.encode())


def read_line(text: bytes) -> tuple[Line, dict[str, Any]] | None:
    """A line and its content without the seal; None where it is none, to the letter."""
    try:
        content = json.loads(text)
        line = Line(int(content["sequence"]), str(content.pop(SEAL)), text)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return (
        (line, content) if _written({**content, SEAL: line.seal}).encode() + b"\n" == text else None
    )


def make_head(key: bytes, head: Head) -> bytes:
    """The head's file, sealed by itself."""
    content = {"sequence": head.sequence, "line": head.seal, "size_bytes": head.size_bytes}
    return make_line(key, "head", content).text


def read_head(key: bytes, text: bytes) -> Head | None:
    """The head; None where it was not written with this key."""
    found = read_line(text)
    if found is None:
        return None
    line, content = found
    if not hmac.compare_digest(seal_of(key, "head", content), line.seal):
        return None
    return Head(line.sequence, str(content["line"]), int(content["size_bytes"]))


def _written(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
