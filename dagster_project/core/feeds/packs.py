"""Packs: the small originals of a batch in one encrypted file of the landing store.

Belongs here: writing a pack, finding and opening one original in it. Does not: which originals
are kept. Ten thousand files of their own would cost more than reading, judging and writing their
rows. A pack is bodies, then an index, then a footer; each original has a random key of its own
(AES-256-GCM, as everywhere in the store), which stands in the index, wrapped: whoever overwrites
an entry has made its original unreadable for good.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dagster_project.core.feeds.errors import LoadError
from dagster_project.core.home import Home

if TYPE_CHECKING:
    from dagster_project.core.feeds.store import Original

FOLDER = "packs"
MAGIC = b"TILLHOUSE-PACK-1\n"
KEY_BYTES, NONCE_BYTES, TAG_BYTES = 32, 12, 16
ONCE = bytes(NONCE_BYTES)  # a key seals one body: its nonce need not differ from another's
WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES
ENTRY = struct.Struct(f"<32sQQ{WRAPPED_BYTES}s")  # SHA-256, place and size of the body, key
FOOTER = struct.Struct(f"<Q{len(MAGIC)}s")  # entries
FILE_MODE = 0o600


@dataclass(frozen=True)
class Packed:
    """Where an original lies in a pack."""

    file_id: str
    path: Path
    start: int
    size: int
    wrapped: bytes
    wrapped_at: int  # place of the wrapped key in the pack

    def opened(self, wrapping: Sequence[bytes]) -> bytes:
        """The original, by whichever key opens it; raises LoadError when foreign or altered."""
        identity = bytes.fromhex(self.file_id)
        key = unwrap(wrapping, self.wrapped, identity)
        if key is None:
            raise LoadError(f"the original {self.file_id} was sealed with another key")
        with self.path.open("rb") as handle:
            handle.seek(self.start)
            body = handle.read(self.size)
        try:
            return AESGCM(key).decrypt(ONCE, body, identity)
        except InvalidTag:
            raise LoadError(f"the original {self.file_id} in the store was altered") from None


def unwrap(wrapping: Sequence[bytes], wrapped: bytes, identity: bytes) -> bytes | None:
    """An original's own key, by whichever key opens it."""
    for one in wrapping:
        try:
            return AESGCM(one).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], identity)
        except InvalidTag:
            continue
    return None


def write(home: Home, wrapping: bytes, originals: Sequence[Original]) -> None:
    """Write one pack, durable when this returns.

    Its name follows from what is in it: a batch that is loaded again after a crash replaces it.
    """
    folder = home.store / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    name = hashlib.sha256("".join(one.file_id for one in originals).encode()).hexdigest()
    unfinished = home.store / f".sealing-{name}"
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as out:
        out.writelines(_pieces(wrapping, originals))
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(folder / f"{name}.pack")
    for changed in (folder, home.store):
        _sync_folder(changed)


def _pieces(wrapping: bytes, originals: Sequence[Original]) -> Iterator[bytes]:
    keys = secrets.token_bytes(KEY_BYTES * len(originals))
    nonces = secrets.token_bytes(NONCE_BYTES * len(originals))
    wrapper = AESGCM(wrapping)
    entries: list[bytes] = []
    place = len(MAGIC)
    yield MAGIC
    for number, one in enumerate(originals):
        identity = bytes.fromhex(one.file_id)
        key = keys[number * KEY_BYTES : (number + 1) * KEY_BYTES]
        nonce = nonces[number * NONCE_BYTES : (number + 1) * NONCE_BYTES]
        body = AESGCM(key).encrypt(ONCE, one.content or b"", identity)
        wrapped = nonce + wrapper.encrypt(nonce, key, identity)
        entries.append(ENTRY.pack(identity, place, len(body), wrapped))
        place += len(body)
        yield body
    yield from entries
    yield FOOTER.pack(len(entries), MAGIC)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def find(home: Home, file_id: str) -> Packed | None:
    """The original in whatever pack holds it; nothing where none does."""
    identity = bytes.fromhex(file_id)
    for path in sorted((home.store / FOLDER).glob("*.pack")):
        status = path.stat()
        index = _index(path, status.st_size, status.st_mtime_ns)
        place = index.find(identity)
        while place % ENTRY.size and place > 0:  # by chance, across two entries
            place = index.find(identity, place + 1)
        if place >= 0:
            return _entry(path, status.st_size, index, place)
    return None


def entries(path: Path) -> Iterator[Packed]:
    """Every original of a pack."""
    status = path.stat()
    index = _index(path, status.st_size, status.st_mtime_ns)
    for place in range(0, len(index), ENTRY.size):
        yield _entry(path, status.st_size, index, place)


def rewrapped(path: Path, wrapping: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """What to write where for a pack's originals to open with the first of the keys alone.

    Nothing for those that do already; raises LoadError when no key opens one.
    """
    changes = []
    for one in entries(path):
        identity = bytes.fromhex(one.file_id)
        if unwrap(wrapping[:1], one.wrapped, identity) is None:
            own = unwrap(wrapping, one.wrapped, identity)
            if own is None:
                raise LoadError(f"the original {one.file_id} was sealed with another key")
            nonce = secrets.token_bytes(NONCE_BYTES)
            sealed = nonce + AESGCM(wrapping[0]).encrypt(nonce, own, identity)
            changes.append((one.wrapped_at, sealed))
    return changes


def _entry(path: Path, pack_size: int, index: bytes, place: int) -> Packed:
    identity, start, size, wrapped = ENTRY.unpack_from(index, place)
    begins = pack_size - FOOTER.size - len(index) + place
    wrapped_at = begins + ENTRY.size - WRAPPED_BYTES
    return Packed(identity.hex(), path, start, size, wrapped, wrapped_at)


@lru_cache(maxsize=64)
def _index(path: Path, size: int, _changed: int) -> bytes:
    """The entries of a pack, which does not change as long as its size and time do not."""
    with path.open("rb") as handle:
        handle.seek(max(0, size - FOOTER.size))
        footer = handle.read()
        count, magic = FOOTER.unpack(footer) if len(footer) == FOOTER.size else (0, b"")
        if magic != MAGIC or size < count * ENTRY.size + FOOTER.size + len(MAGIC):
            raise LoadError(f"{path} in the store is not one of ours")
        handle.seek(size - FOOTER.size - count * ENTRY.size)
        return handle.read(count * ENTRY.size)
