"""The landing store: encrypted originals under their SHA-256.

Belongs here: sealing and opening originals. Does not: which originals are kept; the form of a
pack (``packs``), in which small ones lie together. A file is sealed with its own random key
(AES-256-GCM); that key stands in the header, wrapped by a key derived from the master key
(RFC 3394), so a new master key means new headers, not new files.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
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

from dagster_project.core.feeds import packs
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
FILE_MODE = 0o600
FEW = 8  # so many are synced one by one
LOOSE = 8  # so many small originals of a batch get files of their own, more share one


@dataclass(frozen=True)
class Original:
    """A delivered file as it came; ``content`` of a small one, which is not read again."""

    file_id: str
    path: str
    content: bytes | None


def original_path(home: Home, file_id: str) -> Path:
    """Where the original with this SHA-256 lies by itself, kept or not."""
    return home.store / file_id[:2] / f"{file_id}.enc"


def has_original(home: Home, file_id: str) -> bool:
    """Whether the original is kept, by itself or among others."""
    return original_path(home, file_id).exists() or packs.find(home, file_id) is not None


class Seal:
    """One original encrypted; nothing can be opened before its key is kept with it."""

    def __init__(self, home: Home, key: MasterKey, original: Original) -> None:
        self.file_id = original.file_id
        self._wrapping = _wrapping_key(key)
        self._key = secrets.token_bytes(KEY_BYTES)
        self._nonce = secrets.token_bytes(NONCE_BYTES)
        self._encryptor = Cipher(AES(self._key), GCM(self._nonce)).encryptor()
        self._path = str(home.store / f".sealing-{secrets.token_hex(8)}")
        self._original = original

    def write(self) -> Seal:
        """Write the body, and bring it to the disk; the file is still without its key."""
        try:
            with _created(self._path) as out:
                out.write(b"\0" * HEADER_BYTES)
                if self._original.content is not None:
                    out.write(self._encryptor.update(self._original.content))
                else:
                    self._copy(out)
                self._encryptor.finalize()
                out.flush()
                os.fsync(out.fileno())
        except BaseException:
            self.drop()
            raise
        return self

    def _copy(self, out: BinaryIO) -> None:
        with open(self._original.path, "rb", buffering=0) as handle:
            while chunk := handle.read(CHUNK_BYTES):
                out.write(self._encryptor.update(chunk))

    def finish(self) -> str:
        """Write the header; the unfinished file."""
        header = MAGIC + aes_key_wrap(self._wrapping, self._key) + self._nonce
        header += self._encryptor.tag
        with open(self._path, "r+b") as handle:
            handle.write(header)
        return self._path

    def drop(self) -> None:
        """Forget the original, unless it was kept."""
        Path(self._path).unlink(missing_ok=True)


def _created(path: str) -> BinaryIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    return os.fdopen(descriptor, "wb")


@lru_cache(maxsize=4)
def _wrapping_key(key: MasterKey) -> bytes:
    return key.derive(PURPOSE)


class Sealer:
    """Keeps a batch's originals. Big ones are sealed while their rows are staged.

    What is sealed is what was hashed: a file that its sender went on writing to is put back.
    """

    def __init__(self, home: Home, key: MasterKey) -> None:
        self._home = home
        self._key = key
        self._thread = ThreadPoolExecutor(1)
        self._begun: dict[str, Future[Seal]] = {}

    def begin(self, original: Original) -> None:
        """Start to seal an original that is not in memory."""
        if original.content is None and original.path not in self._begun:
            seal = Seal(self._home, self._key, original)
            self._begun[original.path] = self._thread.submit(seal.write)

    def wait(self) -> None:
        """Until all that was begun is written; raises OSError where it could not be."""
        for future in self._begun.values():
            future.result()

    def keep(self, originals: Sequence[Original]) -> None:
        """Make originals durable under their SHA-256, all or, after a crash, any of them.

        Contents are on the disk before a name says so, and names before this returns.
        """
        small = [one for one in originals if one.content is not None]
        if len(small) > LOOSE:
            packs.write(self._home, _wrapping_key(self._key), small)
            small = []
        for one in originals:
            self.begin(one)
        seals = [self._begun[one.path].result() for one in originals if one.content is None]
        seals += [Seal(self._home, self._key, one).write() for one in small]
        _name(self._home, seals)

    def close(self) -> None:
        """Forget what was not kept."""
        self._thread.shutdown()
        for future in self._begun.values():
            if future.exception() is None:
                future.result().drop()


def _name(home: Home, seals: Sequence[Seal]) -> None:
    if not seals:
        return
    unfinished = [seal.finish() for seal in seals]
    _make_durable(home.store, unfinished)
    folders = {original_path(home, seal.file_id).parent for seal in seals}
    for folder in folders:
        folder.mkdir(mode=0o700, exist_ok=True)
    for path, seal in zip(unfinished, seals, strict=True):
        os.replace(path, original_path(home, seal.file_id))
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
    try:
        with target.open("wb") as out:
            for piece in _opened(home, key, file_id):
                out.write(piece)
    except LoadError:
        target.unlink()
        raise


def check_original(home: Home, key: MasterKey, file_id: str) -> None:
    """Decrypt an original without keeping it; raises LoadError when it is not the one."""
    digest = hashlib.sha256()
    for piece in _opened(home, key, file_id):
        digest.update(piece)
    if digest.hexdigest() != file_id:
        raise LoadError(f"the original {file_id} in the store is another file")


def _opened(home: Home, key: MasterKey, file_id: str) -> Iterator[bytes]:
    """An original in pieces, which only count once the last has come without an error."""
    source = original_path(home, file_id)
    if not source.exists() and (found := packs.find(home, file_id)):
        yield found.opened(unwrapping_keys(key))
        return
    try:
        with source.open("rb") as handle:
            header = handle.read(HEADER_BYTES)
            decryptor = _decryptor(header, key, file_id)
            while chunk := handle.read(CHUNK_BYTES):
                yield decryptor.update(chunk)
            decryptor.finalize()
    except FileNotFoundError:
        raise LoadError(f"the original {file_id} is not in the store") from None
    except InvalidTag:
        raise LoadError(f"the original {file_id} in the store was altered") from None


def _decryptor(header: bytes, key: MasterKey, file_id: str) -> object:
    if not header.startswith(MAGIC) or len(header) < HEADER_BYTES:
        raise LoadError(f"the original {file_id} in the store is not one of ours")
    body = header[len(MAGIC) :]
    wrapped, rest = body[:WRAPPED_BYTES], body[WRAPPED_BYTES:]
    own = unwrap(unwrapping_keys(key), wrapped)
    if own is None:
        raise LoadError(f"the original {file_id} was sealed with another key")
    nonce, tag = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
    return Cipher(AES(own), GCM(nonce, tag)).decryptor()


def unwrapping_keys(key: MasterKey) -> tuple[bytes, ...]:
    """The keys under which an original's own may be wrapped: two while the key is rotated."""
    return key.derive_all(PURPOSE)


def unwrap(keys: Sequence[bytes], wrapped: bytes) -> bytes | None:
    """An original's own key, by whichever key opens it."""
    for one in keys:
        try:
            return aes_key_unwrap(one, wrapped)
        except InvalidUnwrap:
            continue
    return None


def rewrapped(path: Path, key: MasterKey) -> list[tuple[int, bytes]]:
    """What to write where for an original by itself to open with the present key alone.

    Nothing where it does already; raises LoadError when no key opens it.
    """
    with path.open("rb") as handle:
        wrapped = handle.read(HEADER_BYTES)[len(MAGIC) :][:WRAPPED_BYTES]
    keys = unwrapping_keys(key)
    if unwrap(keys[:1], wrapped) is not None:
        return []
    own = unwrap(keys, wrapped)
    if own is None:
        raise LoadError(f"the original {path.stem} was sealed with another key")
    return [(len(MAGIC), aes_key_wrap(keys[0], own))]


def empty_unsealed(home: Home) -> None:
    """Remove what a killed run had begun to seal."""
    for path in home.store.glob(".sealing-*"):
        path.unlink()
