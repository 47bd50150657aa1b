"""The master key, the keys derived from it, and tokens.

Belongs here: where a key comes from, derivation by purpose, HMAC tokens. Does not: what is
encrypted with them. No key is ever printed, logged or put into an error.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dagster_project.core.home import Home

KEY_VARIABLE = "TILLHOUSE_KEY"
KEY_BYTES = 32
BLOCK_BYTES = 64  # SHA-256's block, to which HMAC pads its key (RFC 2104)
KEY_ID_HEX = 12
TOKEN_HEX = 32  # 128 bits of the HMAC: no collision within any retailer's population


class KeyUnavailableError(Exception):
    """The master key is missing or malformed; the message never holds the key."""


@dataclass(frozen=True)
class MasterKey:
    """32 secret bytes from which every other key is derived (HKDF-SHA-256, one label each)."""

    secret: bytes = field(repr=False)

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose; the same purpose always gives the same key."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"tillhouse/{purpose}/1".encode()).derive(
            self.secret
        )

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


def load_master_key(home: Home, environ: Mapping[str, str] | None = None) -> MasterKey:
    """The key from ``TILLHOUSE_KEY``, else from the key file, made on first use.

    Raises KeyUnavailableError when the value is no 32-byte key, or when a warehouse exists but
    its key does not: a new key would lock the data away for good.
    """
    environ = os.environ if environ is None else environ
    if given := environ.get(KEY_VARIABLE):
        return MasterKey(_decode(given.strip(), KEY_VARIABLE))
    if home.key_file.exists():
        return MasterKey(_decode(home.key_file.read_text("ascii").strip(), str(home.key_file)))
    if home.warehouse.exists():
        raise KeyUnavailableError(
            f"no key: {home.warehouse} exists, but {KEY_VARIABLE} is not set and "
            f"{home.key_file} is missing; restore the key, it cannot be made again"
        )
    return _make_key_file(home)


def _make_key_file(home: Home) -> MasterKey:
    from dagster_project.core.audit_log import record  # which needs keys itself

    secret = secrets.token_bytes(KEY_BYTES)
    home.create()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(home.key_file, flags, 0o600), "w", encoding="ascii") as handle:
        handle.write(secret.hex() + "\n")
        handle.flush()
        os.fsync(handle.fileno())
    key = MasterKey(secret)
    record(home, key, "key", key.key_id, made="key file")
    return key


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
