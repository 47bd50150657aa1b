"""The register of erasures: a file beside the database, so that no restore forgets one.

Belongs here: its lines. Does not: what is erased. A line holds no token of the warehouse, only
keyed hashes of tokens: with an old backup beside it, it tells nobody's name. Every line is sealed
by itself, so that registers of several backups can be merged into one.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dagster_project.core.audit_log.lines import seal_of
from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey

PURPOSE = "erasures"
DOMAIN = "erasure"  # of the keyed hashes, see ``MasterKey.token_pads``
SURROGATE = "erasure/surrogate"
FILE_MODE = 0o600


class ErasureError(Exception):
    """What was asked cannot be erased or read; the message says why and holds no value."""


@dataclass(frozen=True)
class Entry:
    """One erasure; ``tokens`` are keyed hashes of what identified the persons."""

    erasure_id: str
    asked_at: str  # UTC, ISO 8601
    asked_by: str  # user of the operating system
    reason: str
    person_count: int
    tokens: tuple[str, ...]


def mark_path(home: Home) -> Path:
    """There from an erasure's first step to its last: whoever writes next goes on with it."""
    return home.private / "erasure.unfinished"


def hashed(pads: tuple[str, str], domain: str, scope: str, token: str) -> str:
    """SQL of a token's keyed hash from SQL expressions; ``pads`` are bound parameters' names."""
    text = f"concat_ws(chr(31), {domain}, {scope}, {token})"
    return f"left(sha256({pads[1]}::blob || unhex(sha256({pads[0]}::blob || encode({text})))), 32)"


def read_register(home: Home, key: MasterKey) -> tuple[Entry, ...]:
    """Every erasure in the order it was asked for; empty before the first.

    A last line that a crash left half written counts for nothing: its erasure had not begun.
    Raises ErasureError naming a line that somebody changed.
    """
    path = home.erasures
    return _read(path, key) if path.exists() else ()


def append(home: Home, key: MasterKey, entry: Entry) -> None:
    """Write an erasure down before anything is erased; durable when this returns."""
    _write(home, key, (*read_register(home, key), entry))


def merge(home: Home, key: MasterKey, other: Path) -> int:
    """Take up what another register holds and this one does not; how many erasures that were."""
    held = {entry.erasure_id: entry for entry in read_register(home, key)}
    found = {entry.erasure_id: entry for entry in _read(other, key)}
    new = [entry for name, entry in found.items() if name not in held]
    if new:
        entries = sorted([*held.values(), *new], key=lambda e: (e.asked_at, e.erasure_id))
        _write(home, key, entries)
    return len(new)


def _write(home: Home, key: MasterKey, entries: Sequence[Entry]) -> None:
    path = home.erasures
    unfinished = path.with_suffix(".unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.writelines(_line(key, entry) for entry in entries)
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _line(key: MasterKey, entry: Entry) -> str:
    content = asdict(entry) | {"tokens": list(entry.tokens)}
    sealed = content | {"seal": sealed_by(key, content)}
    return json.dumps(sealed, ensure_ascii=False, sort_keys=True) + "\n"


def sealed_by(key: MasterKey, content: Mapping[str, Any]) -> str:
    """The seal of a line of the register, or of a certificate."""
    return seal_of(key.derive(PURPOSE), PURPOSE, content)


def _read(path: Path, key: MasterKey) -> tuple[Entry, ...]:
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), 1):
        if not line.endswith(b"\n"):
            break
        content = _content(line)
        if not hmac.compare_digest(str(content.pop("seal", "")), sealed_by(key, content)):
            raise ErasureError(
                f"{path}: line {number} was changed or is of another key; put the file back from "
                "a backup, or erased persons come back"
            )
        found.append(Entry(**content | {"tokens": tuple(content["tokens"])}))
    return tuple(found)


def _content(line: bytes) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
