"""The first master key of a home that was rotated, wrapped under the one it has now.

Belongs here: the file ``private/keyring.json``. Does not: rotating (``rotation``). Tokens are keyed
hashes that old rows and new deliveries must have in common, so the secret they come from cannot
change; what is encrypted can be encrypted anew and comes from the present key. A home without a
keyring has its first key still. Losing the file loses no row: the warehouse, the store and the
backups (each of which holds it too) open without it, only tokens of new deliveries would differ,
which is why nothing is loaded when it does not fit.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from dagster_project.core.home import Home

if TYPE_CHECKING:
    from dagster_project.core.keys import MasterKey

NAME = "keyring.json"
PURPOSE = "keyring"
FILE_MODE = 0o600


def keyring_path(home: Home) -> Path:
    """Where the keyring lies, in a home that was rotated."""
    return home.private / NAME


def wrap(key: MasterKey, secret: bytes) -> str:
    """A secret under the encryption keys of a master key (RFC 3394), as hexadecimal digits."""
    return aes_key_wrap(key.derive(PURPOSE), secret).hex()


def unwrap(key: MasterKey, wrapped: str) -> bytes | None:
    """A wrapped secret; None where another master key wrapped it."""
    try:
        return aes_key_unwrap(key.derive(PURPOSE), bytes.fromhex(wrapped))
    except (InvalidUnwrap, ValueError):
        return None


def write_keyring(home: Home, key: MasterKey) -> None:
    """Keep the first secret of a rotated key, by one rename."""
    if key.first is None:
        return
    told = {"key_id": key.key_id, "first": wrap(key, key.first)}
    write_durably(keyring_path(home), json.dumps(told).encode())


def with_keyring(home: Home, key: MasterKey) -> MasterKey | None:
    """The key as the home's keyring completes it; None where the keyring is another key's."""
    path = keyring_path(home)
    if not path.exists():
        return key
    first = unwrap(key, json.loads(path.read_bytes())["first"])
    return None if first is None else replace(key, first=first)


def keyring_owner(home: Home) -> str:
    """The id of the key that opens the keyring."""
    return str(json.loads(keyring_path(home).read_bytes())["key_id"])


def write_durably(path: Path, text: bytes) -> None:
    """A small private file, on the disk under its name when this returns."""
    waiting = path.with_name(f"{path.name}.new")
    descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    with os.fdopen(descriptor, "wb") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    waiting.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
