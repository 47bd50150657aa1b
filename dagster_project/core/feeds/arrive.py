"""Which files have arrived completely, and taking them out of the sender's reach.

Belongs here: the landing folder. Does not: what is in a file. Files claimed together lie in
``landing/<feed>/.claimed/<microseconds>-many/<more microseconds>~<sender's name>``, one by itself
in ``.claimed/<microseconds>/<sender's name>``; the microseconds are its arrival and stand in the
ledger, so that a crash between commit and removal is told from a second delivery.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dagster_project.core.declarations import Feed
from dagster_project.core.feeds.errors import LoadError
from dagster_project.core.feeds.naming import file_name
from dagster_project.core.home import Home

CLAIMED = ".claimed"
MANY = "-many"
LONGEST_NAME = 240  # bytes, of 255 that a name may have, to which an arrival can be added
PACKED_NAMES = (".gz", ".zip", ".zst")
UNFINISHED = (".part", ".tmp", ".partial", ".done")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Claim:
    """One delivered file that is ours alone now."""

    file: str  # its path
    name: str  # the sender's, as data; cards and contacts in it are masked
    arrived_at: datetime  # unique within the feed
    refusal: str | None = None  # why it is not even opened
    size_bytes: int = 0  # when it was taken

    @property
    def path(self) -> Path:
        return Path(self.file)

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
    return [*_claimed(folder), *(folder / name for name in _arrived(folder, feed))]


def claim_files(home: Home, feed: Feed) -> list[Claim]:
    """Take every complete file; those a killed run had taken come first.

    Raises LoadError when the folder cannot be written.
    """
    folder = landing_folder(home, feed)
    try:
        _remove_empty(folder / CLAIMED)
        found = [_claim_of(path) for path in _claimed(folder)]
        for claim in found:
            _remove_marker(folder, _sent_name(claim.path), feed)
        found += _take(list(_arrived(folder, feed)), folder, feed)
    except OSError as error:
        raise LoadError(f"cannot take files from {folder}: {error.strerror}") from error
    return found


def release(claims: Iterable[Claim]) -> None:
    """Remove claimed files for good, once the ledger knows them."""
    holders = {}
    for claim in claims:
        holders[claim.file.rpartition("/")[0]] = True
        try:
            os.unlink(claim.file)
        except FileNotFoundError:
            pass
        except (IsADirectoryError, PermissionError):
            # A folder is never deleted, only set aside under a name that is not looked at.
            claim.path.rename(claim.path.parents[2] / f".refused-{claim.instant}")
    for holder in holders:
        with suppress(OSError):  # files of the next batch are in it still
            os.rmdir(holder)


def put_back(claim: Claim) -> None:
    """Leave a file that its sender is still writing to the next load."""
    target = claim.path.parents[2] / _sent_name(claim.path)
    if not target.exists():
        claim.path.rename(target)
        with suppress(OSError):
            claim.path.parent.rmdir()


def _arrived(folder: Path, feed: Feed) -> Iterator[str]:
    """Names of the complete files that the feed takes."""
    if not folder.is_dir():
        return
    names = sorted(os.listdir(folder))
    present = set(names)
    is_taken = re.compile(fnmatch.translate(feed.files)).match
    for name in names:
        lowered = name.lower()
        if name.startswith(".") or lowered.endswith(UNFINISHED):
            continue
        is_packed = lowered.endswith(PACKED_NAMES)
        is_named_so = is_taken(name) or (is_packed and is_taken(name.rpartition(".")[0]))
        if is_named_so and _is_complete(folder, name, present, feed):
            yield name


def _is_complete(folder: Path, name: str, present: set[str], feed: Feed) -> bool:
    if feed.arrival.complete_by == "marker":
        return f"{name}.done" in present
    if feed.arrival.complete_by == "stable":
        return time.time() - (folder / name).lstat().st_mtime >= feed.arrival.stable_seconds
    return True


def _claimed(folder: Path) -> list[Path]:
    """Files that were taken and not given up, in the order of their arrival."""
    claims = folder / CLAIMED
    if not claims.is_dir():
        return []
    found: list[Path] = []
    for holder in claims.iterdir():
        with suppress(FileNotFoundError):  # a load beside us has just given it up
            found += holder.iterdir()
    return sorted(found, key=_instant)


def _remove_empty(claims: Path) -> None:
    """Remove the holder that a load made and, killed, moved no file to."""
    for holder in claims.iterdir() if claims.is_dir() else ():
        with suppress(OSError):
            holder.rmdir()


def _take(names: list[str], folder: Path, feed: Feed) -> Iterator[Claim]:
    """Move files to a holder of ours; each arrives a microsecond after the one before."""
    by_itself = _is_long if len(names) > 1 else bool
    short = [name for name in names if not by_itself(name)]
    instant = _now()
    if short:
        instant, holder = _new_holder(folder / CLAIMED, instant, MANY)
        for number, name in enumerate(short):
            yield _moved(folder, name, f"{holder}/{number}~{name}", feed, instant + number)
    instant += len(short)
    for name in filter(by_itself, names):
        instant, holder = _new_holder(folder / CLAIMED, instant, "")
        yield _moved(folder, name, f"{holder}/{name}", feed, instant)
        instant += 1


def _is_long(name: str) -> bool:
    """Whether an arrival cannot be added to a name."""
    return len(name) * 3 > LONGEST_NAME and len(os.fsencode(name)) > LONGEST_NAME


def _moved(folder: Path, name: str, target: str, feed: Feed, instant: int) -> Claim:
    os.rename(f"{folder}/{name}", target)
    _remove_marker(folder, name, feed)
    return _claim(target, name, instant)


def _new_holder(claims: Path, instant: int, ending: str) -> tuple[int, Path]:
    """A folder for files that arrive from the first free instant on."""
    while True:
        holder = claims / f"{instant}{ending}"
        try:
            os.mkdir(holder)
        except FileNotFoundError:
            claims.mkdir(parents=True)
        except FileExistsError:
            instant += 1
        else:
            return instant, holder


def _remove_marker(folder: Path, name: str, feed: Feed) -> None:
    """A marker speaks for one delivery: the next file of that name needs its own."""
    if feed.arrival.complete_by == "marker" and not (folder / name).exists():
        (folder / f"{name}.done").unlink(missing_ok=True)


def _claim_of(path: Path) -> Claim:
    return _claim(str(path), _sent_name(path), _instant(path))


def _claim(file: str, sent_name: str, instant: int) -> Claim:
    name = file_name(_printable(sent_name))
    status = os.lstat(file)
    arrived_at = EPOCH + timedelta(microseconds=instant)
    return Claim(file, name, arrived_at, _refusal(status.st_mode), status.st_size)


def _instant(path: Path) -> int:
    """The arrival of a claimed file, in microseconds since 1970."""
    holder = os.path.basename(os.path.dirname(path))
    later = path.name.split("~", 1)[0] if holder.endswith(MANY) else 0
    return int(holder.removesuffix(MANY)) + int(later)


def _sent_name(path: Path) -> str:
    """A claimed file's name as its sender gave it."""
    is_one_of_many = os.path.dirname(path).endswith(MANY)
    return path.name.split("~", 1)[1] if is_one_of_many else path.name


def _refusal(mode: int) -> str | None:
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
