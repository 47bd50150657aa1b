"""Which files have arrived completely, and taking them out of the sender's reach.

Belongs here: the landing folder. Does not: what is in a file. A claimed file lies in
``landing/<feed>/.claimed/<microseconds>/<sender's name>``; the microseconds are its arrival and
stand in the ledger, so that a crash between commit and removal is told from a second delivery.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dagster_project.core.declarations import Feed
from dagster_project.core.feeds.cards import mask_code
from dagster_project.core.feeds.errors import LoadError
from dagster_project.core.home import Home

CLAIMED = ".claimed"
UNFINISHED = (".part", ".tmp", ".partial", ".done")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Claim:
    """One delivered file that is ours alone now."""

    path: Path
    name: str  # the sender's, as data; a card number in it is masked
    arrived_at: datetime  # unique within the feed
    refusal: str | None = None  # why it is not even opened

    @property
    def instant(self) -> int:
        """The arrival in microseconds since 1970."""
        return (self.arrived_at - EPOCH) // timedelta(microseconds=1)

    @property
    def refused_id(self) -> str:
        """Stands for the SHA-256 of a thing that was not read."""
        return hashlib.sha256(f"refused/{self.name}/{self.arrived_at}".encode()).hexdigest()


def landing_folder(home: Home, feed: Feed) -> Path:
    """The feed's folder; raises LoadError when it is a link, which could lead anywhere."""
    folder = home.landing / feed.feed
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise LoadError(f"{folder} is no folder of its own; files are not taken from links")
    return folder


def waiting_files(home: Home, feed: Feed) -> list[Path]:
    """What the next load of the feed would take, oldest name first."""
    folder = landing_folder(home, feed)
    return [*_claimed(folder), *_arrived(folder, feed)]


def claim_files(home: Home, feed: Feed) -> list[Claim]:
    """Take every complete file; those a killed run had taken come first.

    Raises LoadError when the folder cannot be written.
    """
    folder = landing_folder(home, feed)
    try:
        found = [_claim_of(path) for path in _claimed(folder)]
        for claim in found:
            _remove_marker(folder, claim.path.name, feed)
        instant = _now()
        for path in list(_arrived(folder, feed)):
            claim = _take(path, folder, feed, instant)
            found.append(claim)
            instant = claim.instant + 1
    except OSError as error:
        raise LoadError(f"cannot take files from {folder}: {error.strerror}") from error
    return found


def release(claim: Claim) -> None:
    """Remove a claimed file for good, once the ledger knows it."""
    holder = str(claim.path.parent)
    try:
        os.unlink(claim.path)
    except FileNotFoundError:
        pass
    except (IsADirectoryError, PermissionError):
        # A folder is never deleted, only set aside under a name that is not looked at.
        aside = claim.path.parents[2] / f".refused-{claim.path.parent.name}"
        claim.path.rename(aside)
    with suppress(FileNotFoundError):
        os.rmdir(holder)


def put_back(claim: Claim) -> None:
    """Leave a file that its sender is still writing to the next load."""
    target = claim.path.parents[2] / claim.path.name
    if not target.exists():
        claim.path.rename(target)
        claim.path.parent.rmdir()


def _arrived(folder: Path, feed: Feed) -> Iterator[Path]:
    if not folder.is_dir():
        return
    names = sorted(path.name for path in folder.iterdir())
    present = set(names)
    for name in names:
        if name.startswith(".") or name.lower().endswith(UNFINISHED):
            continue
        if fnmatch.fnmatchcase(_unpacked(name), feed.files) or fnmatch.fnmatchcase(
            name, feed.files
        ):
            path = folder / name
            if _is_complete(path, present, feed):
                yield path


def _unpacked(name: str) -> str:
    for ending in (".gz", ".zip", ".zst"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


def _is_complete(path: Path, present: set[str], feed: Feed) -> bool:
    if feed.arrival.complete_by == "marker":
        return f"{path.name}.done" in present
    if feed.arrival.complete_by == "stable":
        return time.time() - path.lstat().st_mtime >= feed.arrival.stable_seconds
    return True


def _claimed(folder: Path) -> list[Path]:
    claims = folder / CLAIMED
    if not claims.is_dir():
        return []
    found: list[Path] = []
    for holder in sorted(claims.iterdir(), key=lambda path: path.name):
        content = list(holder.iterdir())
        if not content:  # killed between making the holder and moving the file
            holder.rmdir()
        found += content
    return found


def _take(path: Path, folder: Path, feed: Feed, instant: int) -> Claim:
    """Move one file to a holder of its own; its arrival is the first instant that is free."""
    holder = _new_holder(folder / CLAIMED, instant)
    target = holder / path.name
    os.rename(path, target)
    _remove_marker(folder, target.name, feed)
    return _claim_of(target)


def _new_holder(claims: Path, instant: int) -> Path:
    while True:
        holder = claims / str(instant)
        try:
            os.mkdir(holder)
        except FileNotFoundError:
            claims.mkdir(parents=True)
        except FileExistsError:
            instant += 1
        else:
            return holder


def _remove_marker(folder: Path, name: str, feed: Feed) -> None:
    """A marker speaks for one delivery: the next file of that name needs its own."""
    if feed.arrival.complete_by == "marker" and not (folder / name).exists():
        (folder / f"{name}.done").unlink(missing_ok=True)


def _claim_of(path: Path) -> Claim:
    arrived_at = EPOCH + timedelta(microseconds=int(path.parent.name))
    name, _ = mask_code(_printable(path.name))
    return Claim(path, name, arrived_at, _refusal(path))


def _refusal(path: Path) -> str | None:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return "a link, not a file"
    if stat.S_ISDIR(mode):
        return "a folder, not a file"
    if not stat.S_ISREG(mode):
        return "not a regular file"
    return None


def _printable(name: str) -> str:
    """The name as text: file systems allow bytes that are no UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _now() -> int:
    return time.time_ns() // 1000
