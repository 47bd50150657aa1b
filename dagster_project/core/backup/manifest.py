"""What a backup says of itself, and the key of its own that opens it.

Belongs here: the manifest, its seal, the wrapped key. Does not: files. A backup has a random key,
wrapped under the master key in ``key.json``: rotating the master key writes that small file anew
and leaves database and manifest, which is sealed with the backup's own key, as they are.
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from dagster_project.core.backup.content import Content, from_json
from dagster_project.core.backup.errors import BackupError
from dagster_project.core.backup.layout import DATABASE, KEY, MANIFEST
from dagster_project.core.keys import KEY_BYTES, MasterKey, unwrap, wrap, write_durably

PURPOSE = "backup"
FORMAT = 1
CHUNK_BYTES = 4 << 20


@dataclass(frozen=True)
class OwnKey:
    """The random key of one backup."""

    secret: bytes

    @property
    def database_key(self) -> str:
        """The key of its database file."""
        return MasterKey(self.secret).derive("backup/warehouse").hex()

    def seal(self, text: bytes) -> str:
        """The manifest's HMAC-SHA-256."""
        return hmac.new(MasterKey(self.secret).derive("backup/manifest"), text, sha256).hexdigest()


@dataclass(frozen=True)
class Manifest:
    """What is in a backup; paths are relative to its folder."""

    backup_id: str
    made_at: str  # UTC, ISO 8601
    duckdb_version: str
    last_batch_id: int
    content: Content
    files: dict[str, tuple[int, str]]  # path → bytes, SHA-256
    originals: dict[str, int]  # path below the store → bytes; each proves itself when opened
    reconciliations: dict[str, int]  # name → rows that do not reconcile
    audit_lines: int

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**vars(self), "format": FORMAT, "content": self.content.as_json()}


def new_key() -> OwnKey:
    """A key for one backup."""
    return OwnKey(secrets.token_bytes(KEY_BYTES))


def write_key(folder: Path, master: MasterKey, own: OwnKey) -> None:
    """Wrap a backup's key, and what the home's keyring holds, by one rename."""
    told = {"key_id": master.key_id, "wrapped": wrap(_wrapper(master), own.secret)}
    if master.first is not None:
        told["first"] = wrap(master, master.first)
    write_durably(folder / KEY, json.dumps(told).encode())


def read_key(folder: Path, master: MasterKey) -> tuple[OwnKey, MasterKey]:
    """The key of a backup, and the master key with the first one that it was taken under.

    Raises BackupError naming the master key that opens it.
    """
    try:
        told = json.loads((folder / KEY).read_bytes())
        wrapped, key_id = str(told["wrapped"]), str(told["key_id"])
    except (OSError, ValueError, KeyError) as error:
        raise BackupError(f"{folder.name} is damaged: {KEY} cannot be read") from error
    for one in master.both():
        if (secret := unwrap(_wrapper(one), wrapped)) is not None:
            first = unwrap(one, told["first"]) if "first" in told else master.first
            return OwnKey(secret), replace(master, first=first)
    raise BackupError(
        f"{folder.name} opens with the master key {key_id}, this is {master.key_id}; "
        "set TILLHOUSE_KEY to the key it was made with"
    )


def _wrapper(master: MasterKey) -> MasterKey:
    """Backups are wrapped apart from the keyring."""
    return MasterKey(master.derive(PURPOSE))


def write_manifest(folder: Path, own: OwnKey, manifest: Manifest) -> None:
    """Write and seal the manifest."""
    text = json.dumps(manifest.as_json(), sort_keys=True, indent=1).encode()
    write_durably(folder / MANIFEST, own.seal(text).encode() + b"\n" + text)


def read_manifest(folder: Path, own: OwnKey) -> Manifest:
    """The manifest; raises BackupError when it is not the one that was written."""
    seal, _, text = (folder / MANIFEST).read_bytes().partition(b"\n")
    if not hmac.compare_digest(seal, own.seal(text).encode()):
        raise BackupError(f"{folder.name} is damaged: {MANIFEST} is not what was written")
    told = json.loads(text)
    told["content"] = from_json(told["content"])
    told["files"] = {name: (size, digest) for name, (size, digest) in told["files"].items()}
    del told["format"]
    return Manifest(**told)


def digest_of(path: Path) -> tuple[int, str]:
    """Size in bytes and SHA-256 of a file."""
    digest, size = sha256(), 0
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


def check_files(folder: Path, manifest: Manifest, *, but_database: bool = False) -> None:
    """Compare every file with its digest; raises BackupError naming the first that differs."""
    for name, expected in manifest.files.items():
        path = folder / name
        if but_database and name == DATABASE:
            continue
        if not path.exists():
            raise BackupError(f"{folder.name} is damaged: {name} is missing")
        if digest_of(path) != expected:
            raise BackupError(f"{folder.name} is damaged: {name} is not what was written")
