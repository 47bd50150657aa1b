"""The master key, the keys derived from it, tokens, and the keyring of a rotated home.

Belongs here: where a key comes from, derivation by purpose, HMAC tokens. Does not: what is
encrypted with them. No key is ever printed, logged or put into an error.

``private/keyring.json`` holds the first master key of a home that was rotated, wrapped under the
one it has now. Tokens are keyed hashes that old rows and new deliveries must have in common, so
the secret they come from cannot change; what is encrypted can be encrypted anew and comes from the
present key. A home without a keyring has its first key still. The warehouse, the store and the
backups (each holds a copy of it) open without a keyring; only new tokens would differ.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from dagster_project.core.home import Home

KEY_VARIABLE = "TILLHOUSE_KEY"
KEYRING = "keyring.json"
FILE_MODE = 0o600
KEY_BYTES = 32
BLOCK_BYTES = 64  # SHA-256's block, to which HMAC pads its key (RFC 2104)
KEY_ID_HEX = 12
TOKEN_HEX = 32  # 128 bits of the HMAC: no collision within any retailer's population


class KeyUnavailableError(Exception):
    """The master key is missing or malformed; the message never holds the key."""


# Keys that a rotation changes: of what can be encrypted anew. All others must stay as they are for
# tokens of old and new deliveries to be equal, and come from the first master key for ever.
ROTATED = frozenset({"warehouse", "store", "backup", "keyring", "id"})


@dataclass(frozen=True)
class MasterKey:
    """32 secret bytes from which every other key is derived (HKDF-SHA-256, one label each)."""

    secret: bytes = field(repr=False)
    first: bytes | None = field(default=None, repr=False)  # the home's first, once it was rotated
    retired: bytes | None = field(default=None, repr=False)  # while its originals are re-wrapped

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose; the same purpose always gives the same key."""
        lasts = self.first is not None and purpose not in ROTATED
        return _derive(self.first if lasts else self.secret, purpose)

    def both(self) -> tuple[MasterKey, ...]:
        """This key, and behind it the one that a rotation is replacing."""
        old = (replace(self, secret=self.retired, retired=None),) if self.retired else ()
        return (self, *old)

    def derive_all(self, purpose: str) -> tuple[bytes, ...]:
        """The keys for a purpose: that of the retired key comes last."""
        return tuple(one.derive(purpose) for one in self.both())

    @property
    def key_id(self) -> str:
        """Which key this is, for people and manifests; says nothing about the secret."""
        return self.derive("id").hex()[:KEY_ID_HEX]

    def warehouse_key(self) -> str:
        """The private database's encryption key, as 64 hexadecimal digits."""
        return self.derive("warehouse").hex()

    def token_pads(self, domain: str) -> tuple[bytes, bytes]:
        """HMAC's inner and outer pad for a token domain, to be bound into SQL.

        ``sha256(outer || unhex(sha256(inner || value)))`` is HMAC-SHA-256 in plain SQL.
        """
        block = self.derive(f"token/{domain}").ljust(BLOCK_BYTES, b"\0")
        return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)

    def token(self, domain: str, value: str) -> str:
        """The keyed token of a value, 32 hexadecimal digits, equal to the one made in SQL."""
        digest = hmac.new(self.derive(f"token/{domain}"), value.encode(), sha256).hexdigest()
        return digest[:TOKEN_HEX]


def _derive(secret: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"tillhouse/{purpose}/1".encode()).derive(
        secret
    )


def load_master_key(home: Home, environ: Mapping[str, str] | None = None) -> MasterKey:
    """The key from ``TILLHOUSE_KEY``, else from the key file, made on first use.

    Raises KeyUnavailableError when the value is no 32-byte key, when the home opens with another
    one, or when a warehouse exists but its key does not: a new key would lock the data away for
    good.
    """
    environ = os.environ if environ is None else environ
    if given := environ.get(KEY_VARIABLE):
        return _completed(home, decode_key(given, KEY_VARIABLE))
    rotation = read_rotation(home)
    has_next = rotation is not None and rotation.has_switched and next_key_file(home).exists()
    path = next_key_file(home) if has_next else home.key_file
    if path.exists():
        return _completed(home, decode_key(path.read_text("ascii"), str(path)))
    if home.warehouse.exists():
        raise KeyUnavailableError(
            f"no key: {home.warehouse} exists, but {KEY_VARIABLE} is not set and "
            f"{home.key_file} is missing; restore the key, it cannot be made again"
        )
    return _make_key_file(home)


def _completed(home: Home, key: MasterKey) -> MasterKey:
    """With what the home's keyring, or a rotation that is under way, holds for the key."""
    rotation = read_rotation(home)
    if rotation is not None:
        opens = rotation.new_id if rotation.has_switched else rotation.old_id
        if key.key_id != opens:
            raise _wrong_key(home, key, opens)
        if rotation.has_switched:
            first, retired = unwrap(key, rotation.first), unwrap(key, rotation.retired)
            return replace(key, first=first, retired=retired)
    complete = with_keyring(home, key)
    if complete is None:
        raise _wrong_key(home, key, keyring_owner(home))
    return complete


def _wrong_key(home: Home, key: MasterKey, opens: str) -> KeyUnavailableError:
    return KeyUnavailableError(
        f"wrong key: {home.root} opens with the key {opens}, this is {key.key_id}; "
        f"set {KEY_VARIABLE} to that one"
    )


@dataclass(frozen=True)
class Rotation:
    """A rotation that is under way, as its journal tells it; secrets are wrapped under the new key.

    The one moment at which the home changes from the old key to the new is the rename of the copy
    of the warehouse: once the journal says that the copy is whole, its absence says that it is in
    place.
    """

    old_id: str
    new_id: str
    first: str
    retired: str
    is_copied: bool
    has_switched: bool


def rotation_path(home: Home) -> Path:
    """The journal of a rotation that is under way."""
    return home.private / "rotation.json"


def rotated_copy(home: Home) -> Path:
    """The warehouse under the new key, until it takes the old one's place."""
    return home.private / "rotation.duckdb"


def next_key_file(home: Home) -> Path:
    """The new key of a home with a key file, until it takes the old one's place."""
    return home.key_file.with_name(f"{home.key_file.name}.next")


def read_rotation(home: Home) -> Rotation | None:
    """The rotation that is under way; None where none is."""
    path = rotation_path(home)
    if not path.exists():
        return None
    told = json.loads(path.read_bytes())
    has_switched = told["is_copied"] and not rotated_copy(home).exists()
    return Rotation(**told, has_switched=has_switched)


def keyring_path(home: Home) -> Path:
    """Where the keyring lies, in a home that was rotated."""
    return home.private / KEYRING


def wrap(key: MasterKey, secret: bytes) -> str:
    """A secret under the encryption keys of a master key (RFC 3394), as hexadecimal digits."""
    return aes_key_wrap(key.derive("keyring"), secret).hex()


def unwrap(key: MasterKey, wrapped: str) -> bytes | None:
    """A wrapped secret; None where another master key wrapped it."""
    try:
        return aes_key_unwrap(key.derive("keyring"), bytes.fromhex(wrapped))
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


def new_master_key() -> MasterKey:
    """A random key."""
    return MasterKey(secrets.token_bytes(KEY_BYTES))


def _make_key_file(home: Home) -> MasterKey:
    key = new_master_key()
    home.create()
    save_key_file(home, key, home.key_file)
    return key


def save_key_file(home: Home, key: MasterKey, path: Path) -> None:
    """Keep a key in a file of the home; raises FileExistsError rather than replace one."""
    home.private.mkdir(parents=True, exist_ok=True, mode=0o700)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, FILE_MODE), "w", encoding="ascii") as handle:
        handle.write(key.secret.hex() + "\n")
        handle.flush()
        os.fsync(handle.fileno())


def decode_key(text: str, origin: str) -> MasterKey:
    """A key as it is written; raises KeyUnavailableError naming its origin, never the text."""
    return MasterKey(_decode(text.strip(), origin))


def _decode(text: str, origin: str) -> bytes:
    for decode in (bytes.fromhex, _from_base64):
        try:
            secret = decode(text)
        except ValueError:
            continue
        if len(secret) == KEY_BYTES:
            return secret
    raise KeyUnavailableError(
        f"{origin} holds no key: expected 64 hexadecimal digits or 32 bytes in base64"
    )


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
