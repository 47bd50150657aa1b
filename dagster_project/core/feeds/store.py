"""The landing store: encrypted originals under their SHA-256.

Belongs here: sealing and opening one original. Does not: which originals are kept. A file is
sealed with its own random key (AES-256-GCM); that key stands in the header, wrapped by a key
derived from the master key (RFC 3394), so a new master key means new headers, not new files.
"""

from __future__ import annotations

import ctypes
import os
import secrets
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

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
HEADER_BYTES = len(MAGIC) + WRAPPED_BYTES + NONCE_BYTES + TAG_BYTES
CHUNK_BYTES = 4 << 20
IN_MEMORY_BYTES = 256 << 10  # a thousand of them are 256 MiB at most
FILE_MODE = 0o600
FEW = 8  # so many are synced one by one


def original_path(home: Home, file_id: str) -> Path:
    """Where the original with this SHA-256 lies, kept or not."""
    return home.store / file_id[:2] / f"{file_id}.enc"


class Seal:
    """Writes one original encrypted; nothing can be opened before its key is kept with it.

    A small original stays in memory until it is kept: most of ten thousand files are.
    """

    def __init__(self, home: Home, key: MasterKey) -> None:
        self._home = home
        self._wrapping = _wrapping_key(key)
        self._key = secrets.token_bytes(KEY_BYTES)
        self._nonce = secrets.token_bytes(NONCE_BYTES)
        self._encryptor = Cipher(AES(self._key), GCM(self._nonce)).encryptor()
        self._pieces: list[bytes] = []
        self._size = 0
        self._path = str(home.store / f".sealing-{secrets.token_hex(8)}")
        self._handle: BinaryIO | None = None

    def write(self, chunk: bytes) -> None:
        """Append a piece of the original."""
        piece = self._encryptor.update(chunk)
        self._size += len(piece)
        if self._handle is None and self._size <= IN_MEMORY_BYTES:
            self._pieces.append(piece)
            return
        if self._handle is None:
            self._handle = self._opened(b"\0" * HEADER_BYTES)
        self._handle.write(piece)

    def close(self) -> None:
        """End the body; the file is still without its key."""
        self._encryptor.finalize()
        if self._handle is not None:
            self._handle.close()

    def finish(self) -> str:
        """Write the header, and the body where it is still in memory; the unfinished file."""
        header = MAGIC + aes_key_wrap(self._wrapping, self._key) + self._nonce
        header += self._encryptor.tag
        if self._handle is None:
            self._opened(header).close()
        else:
            with open(self._path, "r+b") as handle:
                handle.write(header)
        return self._path

    def drop(self) -> None:
        """Forget the original."""
        self._pieces = []
        if self._handle is not None:
            self._handle.close()
            Path(self._path).unlink(missing_ok=True)

    def _opened(self, header: bytes) -> BinaryIO:
        """The unfinished file with its header and what was in memory of its body."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        handle = os.fdopen(descriptor, "wb")
        handle.write(header)
        handle.writelines(self._pieces)
        self._pieces = []
        return handle


@lru_cache(maxsize=4)
def _wrapping_key(key: MasterKey) -> bytes:
    return key.derive(PURPOSE)


def keep_originals(home: Home, seals: Sequence[tuple[Seal, str]]) -> None:
    """Make originals durable under their SHA-256, all or, after a crash, any of them.

    Contents are on the disk before a name says so, and names before this returns.
    """
    if not seals:
        return
    unfinished = [seal.finish() for seal, _ in seals]
    _make_durable(home.store, unfinished)
    folders = {original_path(home, file_id).parent for _, file_id in seals}
    for folder in folders:
        folder.mkdir(mode=0o700, exist_ok=True)
    for path, (_, file_id) in zip(unfinished, seals, strict=True):
        os.replace(path, original_path(home, file_id))
    _make_durable(home.store, [*map(str, folders), str(home.store)])


def _make_durable(store: Path, paths: Sequence[str]) -> None:
    """Bring files or folders to the disk: each by itself, or, of many, their file system once."""
    if len(paths) > FEW and _sync_file_system(store):
        return
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sync_file_system(folder: Path) -> bool:
    """Linux's ``syncfs``, which Python does not offer; whether there is one."""
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        return False
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(descriptor)
    return True


def open_original(home: Home, key: MasterKey, file_id: str, target: Path) -> None:
    """Decrypt an original into a file; raises LoadError when it is missing, foreign or altered."""
    source = original_path(home, file_id)
    try:
        with source.open("rb") as handle:
            header = handle.read(HEADER_BYTES)
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
