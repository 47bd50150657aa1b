"""The landing store: encrypted originals under their SHA-256.

Belongs here: sealing and opening one original. Does not: which originals are kept. A file is
sealed with its own random key (AES-256-GCM); that key stands in the header, wrapped by a key
derived from the master key (RFC 3394), so a new master key means new headers, not new files.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)

from dagster_project.core.feeds.errors import LoadError
from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey

MAGIC = b"TILLHOUSE-ORIGINAL-1\n"
PURPOSE = "store"
KEY_BYTES = 32
WRAPPED_BYTES = KEY_BYTES + 8  # RFC 3394 adds one 64-bit block
NONCE_BYTES = 12
TAG_BYTES = 16
CHUNK_BYTES = 4 << 20
FILE_MODE = 0o600


def original_path(home: Home, file_id: str) -> Path:
    """Where the original with this SHA-256 lies, kept or not."""
    return home.store / file_id[:2] / f"{file_id}.enc"


class Seal:
    """Writes one original encrypted; nothing can be opened before ``keep`` wrote the key."""

    def __init__(self, home: Home, key: MasterKey) -> None:
        self._home = home
        self._wrapping = key.derive(PURPOSE)
        self._key = secrets.token_bytes(KEY_BYTES)
        self._nonce = secrets.token_bytes(NONCE_BYTES)
        self._encryptor = Cipher(AES(self._key), GCM(self._nonce)).encryptor()
        self._path = home.store / f".sealing-{secrets.token_hex(8)}"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        self._handle = os.fdopen(descriptor, "wb")
        self._handle.write(b"\0" * (len(MAGIC) + WRAPPED_BYTES + NONCE_BYTES + TAG_BYTES))

    def write(self, chunk: bytes) -> None:
        """Append a piece of the original."""
        self._handle.write(self._encryptor.update(chunk))

    def close(self) -> None:
        """End the body; the file is still without its key."""
        self._encryptor.finalize()
        self._handle.close()

    def keep(self, file_id: str) -> None:
        """Write the header, make it durable and move it to its place."""
        target = original_path(self._home, file_id)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        with self._path.open("r+b") as handle:
            handle.write(MAGIC + aes_key_wrap(self._wrapping, self._key))
            handle.write(self._nonce + self._encryptor.tag)
            handle.flush()
            os.fsync(handle.fileno())
        self._path.replace(target)

    def drop(self) -> None:
        """Forget the original."""
        self._handle.close()
        self._path.unlink(missing_ok=True)


def sync_store(home: Home, file_ids: list[str]) -> None:
    """Make the names of originals durable, once per folder."""
    for folder in {original_path(home, file_id).parent for file_id in file_ids}:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def open_original(home: Home, key: MasterKey, file_id: str, target: Path) -> None:
    """Decrypt an original into a file; raises LoadError when it is missing, foreign or altered."""
    source = original_path(home, file_id)
    try:
        with source.open("rb") as handle:
            header = handle.read(len(MAGIC) + WRAPPED_BYTES + NONCE_BYTES + TAG_BYTES)
            decryptor = _decryptor(header, key, file_id)
            with target.open("wb") as out:
                while chunk := handle.read(CHUNK_BYTES):
                    out.write(decryptor.update(chunk))
                decryptor.finalize()
    except FileNotFoundError:
        raise LoadError(f"the original {file_id} is not in the store") from None
    except InvalidTag:
        target.unlink()
        raise LoadError(f"the original {file_id} in the store was altered") from None


def _decryptor(header: bytes, key: MasterKey, file_id: str) -> object:
    if not header.startswith(MAGIC):
        raise LoadError(f"the original {file_id} in the store is not one of ours")
    body = header[len(MAGIC) :]
    wrapped, rest = body[:WRAPPED_BYTES], body[WRAPPED_BYTES:]
    try:
        own = aes_key_unwrap(key.derive(PURPOSE), wrapped)
    except InvalidUnwrap:
        raise LoadError(f"the original {file_id} was sealed with another key") from None
    nonce, tag = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
    return Cipher(AES(own), GCM(nonce, tag)).decryptor()


def empty_unsealed(home: Home) -> None:
    """Remove what a killed run had begun to seal."""
    for path in home.store.glob(".sealing-*"):
        path.unlink()
