"""The signed manifest of a release: what it is, for whom, for what, until when, how coarse.

Belongs here: writing and verifying it. Does not: the files it lists. The signature is Ed25519 under
a key derived from the master key; the public half stands in the manifest, and a partner that was
told it once can verify every later release without any secret of ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from dagster_project.core.keys import MasterKey
from dagster_project.core.sharing.errors import SharingError
from dagster_project.core.sharing.partners import Partner

if TYPE_CHECKING:
    from dagster_project.core.sharing.extract import Release

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
PURPOSE = "share-signature"


def write(folder: Path, partner: Partner, release: Release, key: MasterKey, today: date) -> None:
    """Write the manifest of a folder's files, and its signature."""
    signer = Ed25519PrivateKey.from_private_bytes(key.derive(PURPOSE))
    content = {
        "partner": partner.name,
        "release": release.release,
        "made_on": today.isoformat(),
        "terms": json.loads(partner.model_dump_json(exclude={"name"})),
        "anonymity": asdict(release.anonymity),
        "sales_cells": release.sales_cell_count,
        "suppressed_sales_cells": release.suppressed_sales_cell_count,
        "files": {path.name: _sha256(path) for path in sorted(folder.iterdir())},
        "public_key": signer.public_key().public_bytes_raw().hex(),
    }
    text = json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True).encode()
    (folder / MANIFEST).write_bytes(text)
    (folder / SIGNATURE).write_text(signer.sign(text).hex() + "\n", "ascii")


def verify(folder: Path, today: date, public_key: str | None = None) -> Mapping[str, Any]:
    """A release's manifest, if it is as it was signed and its term is not over.

    ``public_key`` is the one that the recipient was told; without it only changes made by somebody
    who cannot sign anew are found. Raises SharingError naming what is wrong.
    """
    try:
        text = (folder / MANIFEST).read_bytes()
        signature = bytes.fromhex((folder / SIGNATURE).read_text("ascii"))
        content = json.loads(text)
        signer = Ed25519PublicKey.from_public_bytes(bytes.fromhex(content["public_key"]))
        signer.verify(signature, text)
    except FileNotFoundError as error:
        raise SharingError(f"{folder} is no release: {Path(error.filename).name} is missing") from (
            error
        )
    except (InvalidSignature, ValueError, KeyError, TypeError) as error:
        raise SharingError(f"{folder / MANIFEST} is not as it was signed") from error
    if public_key is not None and public_key.strip() != content["public_key"]:
        raise SharingError(f"{folder / MANIFEST} was signed by somebody else")
    _verify_files(folder, content["files"])
    if date.fromisoformat(content["terms"]["expires_on"]) < today:
        raise SharingError(f"the term of {folder} ended on {content['terms']['expires_on']}")
    return content


def _verify_files(folder: Path, listed: Mapping[str, str]) -> None:
    found = {path.name for path in folder.iterdir()} - {MANIFEST, SIGNATURE}
    if missing := sorted(set(listed) - found):
        raise SharingError(f"{folder}: {', '.join(missing)} is missing")
    if added := sorted(found - set(listed)):
        raise SharingError(f"{folder}: {', '.join(added)} is not in the manifest")
    if changed := [name for name, digest in listed.items() if _sha256(folder / name) != digest]:
        raise SharingError(f"{folder}: {', '.join(sorted(changed))} was changed")


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return file_digest(handle, "sha256").hexdigest()
